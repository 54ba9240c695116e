import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../daemon/server/limits.js';
import { nestingDepth, parseMessage } from '../../../daemon/server/connection/parseMessage.js';

describe('nestingDepth', () => {
  it.each([
    ['{}', 1],
    ['[[{}]]', 3],
    ['"[[[["', 0],
    ['["\\"[[[", [1]]', 2],
    ['["\\\\", [[]]]', 3],
    ['', 0],
    [']]]][', 0],
  ])('%s is %d', (text, depth) => expect(nestingDepth(text, 100)).toBe(depth));

  it('agrees with a recursive count on any JSON', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(nestingDepth(JSON.stringify(value), 1000)).toBe(depthOf(value));
      }),
    );
  });

  it('stops at the limit', () => expect(nestingDepth('['.repeat(1e6), 10)).toBe(11));
});

describe('parseMessage', () => {
  it('accepts requests, notifications and responses as they are', () => {
    for (const message of [
      { jsonrpc: '2.0', id: 1, method: 'a', params: { b: [1] } },
      { jsonrpc: '2.0', id: 'x', method: 'a' },
      { jsonrpc: '2.0', method: 'a', params: [null] },
      { jsonrpc: '2.0', id: 1, result: null },
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } },
    ]) {
      expect(parseMessage(JSON.stringify(message))).toEqual({ message });
    }
  });

  it('names the id of a refused request, so that its sender need not wait', () => {
    expect(parseMessage('{"jsonrpc":"2.0","id":7,"method":"a","params":1}')).toMatchObject({ id: 7 });
    expect(parseMessage('{"jsonrpc":"2.0","id":1.5,"method":"a"}')).toMatchObject({ id: null });
  });

  it('never throws, and what it lets through has the shape of a message', () => {
    const key = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error', '__proto__', 'constructor');
    const value = fc.oneof(
      fc.constant('2.0'),
      fc.integer(),
      fc.string(),
      fc.constant(null),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const object = fc.array(fc.tuple(key, value)).map((entries) => `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`); // prettier-ignore
    fc.assert(
      fc.property(fc.oneof(object, fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const parsed = parseMessage(text);
        if ('error' in parsed) {
          expect(parsed.error.code).toBeLessThan(-32000);
          return;
        }
        const { method, id, params } = parsed.message;
        expect(Object.hasOwn(parsed.message, '__proto__')).toBe(false);
        if (method === undefined) expect(['number', 'string']).toContain(typeof id);
        else {
          expect(typeof method).toBe('string');
          expect(params === undefined || typeof params === 'object').toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('lets no broken variant of a good message through unnoticed', () => {
    const good = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'lc/inspect', params: { model: '/a/b.json' } });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, c) => {
        const text = good.slice(0, at) + c + good.slice(at + 1);
        const parsed = parseMessage(text);
        if ('message' in parsed) expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it(`refuses depth ${LIMITS.messageDepth + 1}, accepts ${LIMITS.messageDepth}`, () => {
    const nested = (depth: number) =>
      parseMessage(`{"jsonrpc":"2.0","method":"a","params":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);
    expect(nested(LIMITS.messageDepth)).toHaveProperty('message');
    expect(nested(LIMITS.messageDepth + 1)).toHaveProperty('error');
  });
});
