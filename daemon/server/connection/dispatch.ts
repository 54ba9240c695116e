/** Dispatches a raw `lc/*` request to its handler: validates parameters once, and turns errors into JSON-RPC errors. */
import { ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver-protocol/node';
import { UserError } from '../../protocol/errors.js';
import { issueText } from '../../protocol/issueText.js';
import {
  NOT_TRUSTED,
  requests,
  USER_ERROR,
  type Params,
  type RequestMethod,
  type Result,
} from '../../protocol/messages.js';
import type { Log } from '../log.js';
import { NotTrustedError } from '../workspace.js';

/** @param signal is aborted when the client cancels the request, or is gone. */
export type Handler<M extends RequestMethod, Context> = (
  params: Params<M>,
  context: Context,
  signal: AbortSignal,
) => Promise<Result<M>>;
export type Handlers<Context> = { readonly [M in RequestMethod]: Handler<M, Context> };

/** JSON-RPC clients send one parameter as itself or in an array, and none as nothing, null or an empty array. */
const onlyParameter = (params: unknown): unknown =>
  (Array.isArray(params) && params.length <= 1 ? params[0] : params) ?? null;

export function toResponseError(error: unknown, method: string, log: Log): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  if (error instanceof UserError)
    return new ResponseError(USER_ERROR, error.message, { code: error.code, ...error.details });
  if (error instanceof NotTrustedError) return new ResponseError(NOT_TRUSTED, error.message);
  log('error', `${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const message = error instanceof Error ? error.message.split('\n')[0]! : 'unknown';
  return new ResponseError(ErrorCodes.InternalError, `internal error in ${method}: ${message.slice(0, 300)}`);
}

/** Throws ResponseError only, and always. */
export async function dispatch<Context>(
  handlers: Handlers<Context>,
  method: string,
  params: unknown,
  context: Context,
  log: Log,
  signal: AbortSignal,
): Promise<unknown> {
  if (!Object.hasOwn(requests, method))
    throw new ResponseError(ErrorCodes.MethodNotFound, `no method "${method.slice(0, 80)}"`);
  const name = method as RequestMethod;
  const given = onlyParameter(params);
  const parsed = requests[name].params.safeParse(given);
  if (!parsed.success) {
    throw new ResponseError(ErrorCodes.InvalidParams, `${method}: ${issueText(parsed.error, given)}`);
  }
  try {
    const handler = handlers[name] as (params: unknown, context: Context, signal: AbortSignal) => Promise<unknown>;
    return await handler(parsed.data, context, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason)
      throw new ResponseError(LSPErrorCodes.RequestCancelled, `${method} was cancelled`);
    throw toResponseError(error, method, log);
  }
}
