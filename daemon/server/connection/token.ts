import { createHash, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** The connection's secret, kept as a hash; comparison time depends on neither content nor length. */
export class Token {
  readonly #digest: Buffer;
  constructor(secret: string) {
    this.#digest = digest(secret);
  }
  matches(candidate: string): boolean {
    return timingSafeEqual(this.#digest, digest(candidate));
  }
}

/**
 * Reads the first line of `input`: the token, 16 to `maxLength` printable ASCII characters. The rest stays unread in the stream, which is left
 * paused.
 * @throws Error when the line is malformed, too long, late (`timeout` ms) or never ends.
 */
export function readToken(input: Readable, maxLength: number, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => finish(new Error(`no token on stdin within ${timeout} ms`)), timeout);
    const finish = (outcome: string | Error) => {
      clearTimeout(timer);
      input.off('data', onData).off('end', onEnd).off('error', finish);
      input.pause();
      if (typeof outcome === 'string') resolve(outcome);
      else reject(outcome);
    };
    const onEnd = () => finish(new Error('stdin ended before the token'));
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\n');
      if (end < 0 && text.length <= maxLength) return;
      const token = text.slice(0, Math.max(0, end)).replace(/\r$/, '');
      if (end < 0 || token.length > maxLength) finish(new Error(`the token is longer than ${maxLength} characters`));
      else if (!/^[\x21-\x7e]{16,}$/.test(token)) finish(new Error('the token is not 16 or more printable characters'));
      else finish(token);
    };
    input.on('data', onData).on('end', onEnd).on('error', finish);
  });
}
