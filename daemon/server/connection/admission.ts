import type { IncomingMessage } from 'node:http';
import { SOCKET_PATH } from '../../protocol/version.js';
import { LIMITS } from '../limits.js';
import type { Token } from './token.js';

export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Values of a header as sent; Node would silently drop or join duplicates. */
function headerValues(request: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]!.toLowerCase() === name) values.push(request.rawHeaders[i + 1]!);
  }
  return values;
}

/**
 * Whether a request may become a WebSocket: null, or why not. Only a process that was given the token may connect. Web pages are rejected even with
 * it (any Origin), and so is a host name that resolves here (DNS rebinding).
 */
export function refusalOf(request: IncomingMessage, port: number, token: Token): Refusal | null {
  if (request.rawHeaders.length / 2 > LIMITS.headerCount) return { status: 431, reason: 'too many headers' };
  const hosts = headerValues(request, 'host');
  if (hosts.length !== 1 || hosts[0] !== `127.0.0.1:${port}`) return { status: 403, reason: 'wrong Host' };
  if (headerValues(request, 'origin').length > 0) return { status: 403, reason: 'Origin is not allowed' };
  if (request.url !== SOCKET_PATH) return { status: 404, reason: 'no such path' };
  if (request.method !== 'GET') return { status: 405, reason: 'GET only' };
  const credentials = headerValues(request, 'authorization');
  const bearer = credentials.length === 1 ? /^Bearer ([\x21-\x7e]+)$/.exec(credentials[0]!)?.[1] : undefined;
  if (bearer === undefined || !token.matches(bearer)) return { status: 401, reason: 'wrong or missing token' };
  return null;
}
