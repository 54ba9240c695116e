/** Parses the text of one frame into a JSON-RPC 2.0 message of the right shape. Never throws. */
import { ErrorCodes, type Message } from 'vscode-languageserver-protocol/node';
import { LIMITS } from '../limits.js';

export type MessageId = number | string;
export type Parsed =
  | { readonly message: Message & { method?: string; id?: MessageId | null; params?: unknown } }
  | { readonly id: MessageId | null; readonly error: { readonly code: number; readonly message: string } };

/** Nesting depth of JSON text, strings skipped; stops early beyond `limit`. Linear, without recursion. */
export function nestingDepth(text: string, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x5b || c === 0x7b) {
      deepest = Math.max(deepest, ++depth);
      if (deepest > limit) return deepest;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}

/** A key that would change an object's prototype in a careless copy. Depth is bounded before. */
function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(namesPrototype);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is MessageId =>
  Number.isSafeInteger(value) || (typeof value === 'string' && value.length <= 200);

const invalid = (message: string, id: MessageId | null = null): Parsed => ({
  id,
  error: { code: ErrorCodes.InvalidRequest, message },
});

/** @returns the message, or the JSON-RPC error to answer with. */
export function parseMessage(text: string): Parsed {
  if (nestingDepth(text, LIMITS.messageDepth) > LIMITS.messageDepth) {
    return invalid(`nested deeper than ${LIMITS.messageDepth}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { id: null, error: { code: ErrorCodes.ParseError, message: 'not JSON' } };
  }
  if (!isObject(value)) return invalid('a message is one JSON object (batches are not supported)');
  const id = isId(value['id']) ? value['id'] : null;
  if (value['jsonrpc'] !== '2.0') return invalid('"jsonrpc" is not "2.0"', id);
  if (namesPrototype(value)) return invalid('a key is "__proto__"', id);
  if (Object.hasOwn(value, 'method')) {
    const { method, params } = value;
    if (typeof method !== 'string' || method.length > 200) return invalid('"method" is not a method name', id);
    if (Object.hasOwn(value, 'id') && id === null) return invalid('"id" is neither an integer nor a short string');
    if (params !== undefined && params !== null && typeof params !== 'object') {
      return invalid('"params" is neither an object nor an array', id);
    }
    if (method === '$/cancelRequest' && !(isObject(params) && isId(params['id'])))
      return invalid('cancel without an id');
    return { message: value as unknown as Message };
  }
  // A response. Its id is one of ours, or the message is ignored.
  if (id === null) return invalid('neither a request nor a response');
  if (Object.hasOwn(value, 'error')) {
    const error = value['error'];
    if (!isObject(error) || typeof error['code'] !== 'number' || typeof error['message'] !== 'string') {
      return invalid('"error" is not an error', id);
    }
  } else if (!Object.hasOwn(value, 'result')) return invalid('a response without result', id);
  return { message: value as unknown as Message };
}
