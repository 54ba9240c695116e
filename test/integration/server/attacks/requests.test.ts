/** Messages of a hostile or broken client after it has connected: it gets an error, and the daemon keeps serving the others. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../harness.js';
import { startAttacked, type Attacked } from './attacked.js';

let attacked: Attacked;
beforeAll(async () => {
  attacked = await startAttacked();
});
afterEach(() => attacked.expectWell());
afterAll(() => attacked.close());

describe('messages of a client', () => {
  let client: Client;
  afterEach(() => client.close());

  it('calls before initialize are refused, notifications ignored', async () => {
    client = await Client.open(attacked.daemon.connect());
    expect((await client.refused('lc/runs', null)).code).toBe(-32002);
    expect((await client.refused('shutdown')).code).toBe(-32002);
    client.notify('lc/trust', { trusted: true });
    client.notify('textDocument/didOpen', { textDocument: 7 });
    await client.initialize([attacked.workspace], { trusted: false });
    expect(
      (await client.refused('lc/createPlan', { model: join(attacked.workspace, 'x'), data: 'mnist', budget: {} })).code,
    ).toBe(-32051);
  });

  it('a second initialize, and anything after shutdown, is refused; exit closes only this connection', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    expect((await client.refused('initialize', { capabilities: {} })).code).toBe(-32600);
    expect(await client.call('shutdown')).toBeNull();
    expect((await client.refused('lc/runs', null)).code).toBe(-32600);
    const closed = once(client.socket, 'close');
    client.notify('exit');
    await closed;
  });

  it('a failed initialize may be repeated', async () => {
    client = await Client.open(attacked.daemon.connect());
    const bad = { processId: null, rootUri: null, capabilities: {}, initializationOptions: { trusted: 'yes' } };
    expect((await client.refused('initialize', bad)).code).toBe(-32602);
    await client.initialize([attacked.workspace], { trusted: true });
    expect(await client.call('lc/runs', null)).toEqual([]);
  });

  it.each<[string, string, number]>([
    ['broken JSON', '{"jsonrpc":"2.0",', -32700],
    ['an empty frame', '', -32700],
    ['a NaN', '{"jsonrpc":"2.0","id":1,"method":"lc/runs","params":NaN}', -32700],
    ['null', 'null', -32600],
    ['a number', '42', -32600],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"lc/runs"}]', -32600],
    ['no version', '{"id":1,"method":"lc/runs"}', -32600],
    ['version 1', '{"jsonrpc":"1.0","id":1,"method":"lc/runs"}', -32600],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['an object for an id', '{"jsonrpc":"2.0","id":{},"method":"lc/runs"}', -32600],
    ['params of the wrong kind', '{"jsonrpc":"2.0","id":1,"method":"lc/runs","params":7}', -32600],
    ['a __proto__ key', '{"jsonrpc":"2.0","id":1,"method":"lc/runs","params":{"__proto__":{"trusted":true}}}', -32600],
    [
      'an escaped __proto__ key',
      '{"jsonrpc":"2.0","id":1,"method":"lc/runs","params":{"a":[{"\\u005f_proto__":1}]}}',
      -32600,
    ],
    ['JSON 100,000 deep', '['.repeat(100_000), -32600],
    ['objects 1,000 deep', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, -32600],
    ['a cancel without an id', '{"jsonrpc":"2.0","method":"$/cancelRequest"}', -32600],
  ])('%s gets a JSON-RPC error', async (_name, text, code) => {
    client = await attacked.daemon.client([attacked.workspace]);
    const from = client.received.length;
    client.raw(text);
    expect((await client.waitFor((message) => message.error !== undefined, from)).error!.code).toBe(code);
    expect(await client.call('lc/runs', null)).toEqual([]);
  });

  it('a binary frame and a frame over 2 MiB end the connection', async () => {
    for (const frame of [Buffer.from('{}'), ' '.repeat(2 * 1024 * 1024 + 1)]) {
      client = await attacked.daemon.client([attacked.workspace]);
      const closed = once(client.socket, 'close');
      client.raw(frame);
      expect([1003, 1009]).toContain((await closed)[0]);
    }
  });

  it('a frame of just under 2 MiB is read', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    const error = await client.refused('lc/inspect', { model: `/${'x'.repeat(2 * 1024 * 1024 - 200)}` });
    expect(error.code).toBe(-32602);
    expect(error.message.length).toBeLessThan(1000);
  });

  it('an id in use is refused, as a number or as a string; both requests are answered', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    const request = (id: number | string) => JSON.stringify({ jsonrpc: '2.0', id, method: 'lc/runs', params: null });
    client.raw(request(900));
    client.raw(request(900));
    client.raw(request('900'));
    await client.waitFor((message) => message.result !== undefined && message.id === 900);
    await client.waitFor((message) => message.error?.code === -32600 && message.id === 900);
    await client.waitFor((message) => message.error?.code === -32600 && message.id === '900');
  });

  it('answers to requests nobody made, unknown methods, late and early cancels are survived', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    client.send({ jsonrpc: '2.0', id: 4711, result: { a: 1 } });
    client.send({ jsonrpc: '2.0', id: 'nobody', error: { code: 1, message: 'x' } });
    client.send({ jsonrpc: '2.0', id: 1, error: 'not an object' });
    client.notify('lc/nothing', { a: 1 });
    client.notify('$/cancelRequest', { id: 123456 });
    expect((await client.refused('lc/nothing', {})).code).toBe(-32601);
    expect((await client.refused('toString')).code).toBe(-32601);
    expect((await client.refused('__proto__')).code).toBe(-32601);
    expect(await client.call('lc/runs', null)).toEqual([]);
    for (let id = 1; id < 10; id++) client.notify('$/cancelRequest', { id });
    expect(await client.call('lc/runs', null)).toEqual([]);
  });

  it('a flood of requests is answered one by one, beyond the limit with errors', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    const from = client.received.length;
    for (let id = 10_000; id < 15_000; id++) client.send({ jsonrpc: '2.0', id, method: 'lc/runs', params: null });
    for (let id = 10_000; id < 15_000; id += 499) await client.waitFor((message) => message.id === id, from);
    const answers = client.received
      .slice(from)
      .filter((message) => typeof message.id === 'number' && message.id >= 10_000);
    expect(answers.some((message) => message.result !== undefined)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['lc/history', { run: 'r', from: -1, limit: 10 }],
    ['lc/history', { run: 'r', from: 1e308, limit: 10 }],
    ['lc/history', { run: 'r', from: 0, limit: 1e9 }],
    ['lc/history', { run: 'r', from: 0.5, limit: 10 }],
    ['lc/start', { planPath: '/x', seed: 'one' }],
    ['lc/start', { planPath: '/x', surprise: true }],
    ['lc/preview', { model: '/x', budget: { keep: 1e308 } }],
    ['lc/preview', { model: '/x', budget: { keep: '-1%' } }],
    ['lc/runs', { a: 1 }],
    ['lc/inspect', [{ model: '/x' }, { model: '/y' }]],
    ['lc/inspect', null],
    ['lc/rename', { run: 'r', name: '' }],
    ['lc/rename', { run: '', name: 'x' }],
  ])('%s refuses parameters out of its schema: %j', async (method, params) => {
    client = await attacked.daemon.client([attacked.workspace]);
    expect((await client.refused(method, params)).code).toBe(-32602);
  });

  it('numbers that JSON turns into infinity are refused', async () => {
    client = await attacked.daemon.client([attacked.workspace]);
    const from = client.received.length;
    client.raw('{"jsonrpc":"2.0","id":77,"method":"lc/history","params":{"run":"r","from":1e999,"limit":-1e999}}');
    expect((await client.waitFor((message) => message.id === 77, from)).error!.code).toBe(-32602);
  });
});
