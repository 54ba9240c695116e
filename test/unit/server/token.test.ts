import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readToken, Token } from '../../../daemon/server/connection/token.js';

const SECRET = 'sixteen-characters-or-more';

describe('readToken', () => {
  const read = (chunks: readonly string[], end = false) => {
    const input = new PassThrough();
    const token = readToken(input, 100, 200);
    for (const chunk of chunks) input.write(chunk);
    if (end) input.end();
    return token;
  };

  it('reads a line that comes in pieces, with either line end', async () => {
    expect(await read([SECRET.slice(0, 5), SECRET.slice(5), '\n'])).toBe(SECRET);
    expect(await read([`${SECRET}\r\n`])).toBe(SECRET);
    expect(await read([`${SECRET}\nmore\nlines`])).toBe(SECRET);
  });

  it.each([
    [['short\n'], /16 or more/],
    [['sixteen characters or more\n'], /printable/],
    [[`${'x'.repeat(101)}\n`], /longer than 100/],
    [['x'.repeat(5000)], /longer than 100/],
    [[`${SECRET}\u0007\n`], /printable/],
    [['\n', `${SECRET}\n`], /16 or more/],
  ])('refuses %j', async (chunks, message) => {
    await expect(read(chunks)).rejects.toThrow(message);
  });

  it('does not wait for ever, and notices the end', async () => {
    await expect(read([SECRET])).rejects.toThrow(/within 200 ms/);
    await expect(read([SECRET], true)).rejects.toThrow(/ended before/);
  });
});

describe('Token', () => {
  it('matches itself alone', () => {
    const token = new Token(SECRET);
    expect(token.matches(SECRET)).toBe(true);
    for (const other of ['', SECRET.slice(1), `${SECRET}x`, SECRET.toUpperCase(), 'x'.repeat(10_000)]) {
      expect(token.matches(other)).toBe(false);
    }
  });
});
