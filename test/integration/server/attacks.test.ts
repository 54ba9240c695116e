/** What a hostile or broken client can do: every item is refused or survived, and the daemon goes on serving. */
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SOCKET_PATH } from '../../../daemon/protocol/messages.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder, TOKEN } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let workspace: string;
let outside: string;
let daemon: Daemon;
let healthy: Client;

beforeAll(async () => {
  scratch = await temporaryFolder();
  workspace = join(scratch.path, 'workspace');
  outside = join(scratch.path, 'outside');
  await mkdir(workspace);
  await mkdir(outside);
  await writeFile(join(outside, 'model.json'), '{"modelTopology":{}}');
  await writeFile(join(outside, 'secret.prune.json'), '{}');
  await symlink(outside, join(workspace, 'link'));
  await symlink(join(outside, 'model.json'), join(workspace, 'link.json'));
  daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
  healthy = await daemon.client([workspace]);
});

/** After each attack: the same process, and the client that was there before, are well. */
afterEach(async () => {
  expect(daemon.alive).toBe(true);
  expect(await healthy.call('lc/runs', null)).toEqual([]);
  expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
});

afterAll(async () => {
  await healthy.close();
  expect(await daemon.close()).toBe(0);
  await scratch.remove();
});

/** The HTTP status with which an upgrade is refused, or 101. */
async function statusOf(headers: Record<string, string>, path?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: daemon.port,
      path: path ?? SOCKET_PATH,
      setHost: !('host' in headers),
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode!);
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on('error', reject);
    request.end();
  });
}

/** Sends bytes and reads what comes back until the daemon closes the connection. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(daemon.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1'))).on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe('who may connect', () => {
  it('the token holder may', async () => expect(await statusOf(bearer)).toBe(101));

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['a wrong token', { authorization: `Bearer ${TOKEN.slice(0, -1)}x` }],
    ['a prefix of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['a longer token', { authorization: `Bearer ${TOKEN}x` }],
    ['a very long token', { authorization: `Bearer ${'x'.repeat(6000)}` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['Basic credentials', { authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}` }],
    ['the token as a cookie', { cookie: `token=${TOKEN}` }],
    ['the token as a subprotocol', { 'sec-websocket-protocol': TOKEN }],
  ])('%s is 401', async (_name, headers) => expect(await statusOf(headers)).toBe(401));

  it.each([
    `${SOCKET_PATH}?token=${TOKEN}`,
    `${SOCKET_PATH}/`,
    '/',
    '/..',
    '//lcprune',
    `http://127.0.0.1${SOCKET_PATH}`,
  ])('a token does not open %s', async (path) => {
    expect(await statusOf({}, path)).toBe(404);
    expect(await statusOf(bearer, path)).toBe(404);
  });

  it.each([
    'https://evil.example',
    'null',
    '',
    'http://127.0.0.1',
    'http://localhost',
    'vscode-webview://abc',
    'file://',
  ])('Origin "%s" is 403, with the right token', async (origin) =>
    expect(await statusOf({ ...bearer, origin })).toBe(403),
  );
  it("the daemon's own address as Origin is 403", async () =>
    expect(await statusOf({ ...bearer, origin: `http://127.0.0.1:${daemon.port}` })).toBe(403));

  it.each([
    (port: number) => `evil.example:${port}`,
    (port: number) => `localhost:${port}`,
    (port: number) => `127.0.0.1.evil.example:${port}`,
    (port: number) => `evil.example.127.0.0.1:${port}`,
    (port: number) => `[::1]:${port}`,
    (port: number) => `0.0.0.0:${port}`,
    (port: number) => `127.0.0.1:${port + 1}`,
    () => '127.0.0.1',
    () => '',
  ])('another Host is refused', async (host) => {
    expect([400, 403]).toContain(await statusOf({ ...bearer, host: host(daemon.port) }));
  });

  it('two Host or two Authorization headers are refused', async () => {
    const head = `GET ${SOCKET_PATH} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
    const host = `Host: 127.0.0.1:${daemon.port}\r\n`;
    const token = `Authorization: Bearer ${TOKEN}\r\n`;
    expect(await exchange(`${head}${host}Host: evil.example\r\n${token}\r\n`)).toMatch(/^HTTP\/1\.1 40[03]/);
    expect(await exchange(`${head}${host}${token}Authorization: Bearer other\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[01]/);
  });

  it.each(['GET', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'TRACE'])('plain %s gets nothing', async (method) => {
    const text = await exchange(
      `${method} ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 (405|426) /);
    expect(text).not.toMatch(/access-control/i);
  });

  it('CONNECT, junk, a TLS hello and an HTTP/2 preface end the connection', async () => {
    expect(await exchange('CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n')).not.toMatch(/ 200 /);
    expect(await exchange('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')).not.toMatch(/ (101|200) /);
    expect(await exchange('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).not.toMatch(/ (101|200) /);
    expect(await exchange('\0'.repeat(1000))).not.toMatch(/ (101|200) /);
  });

  it('2,500 headers and 1 MB of headers are refused', async () => {
    const small = Array.from({ length: 2500 }, (_, i) => `x${i}: 1`).join('\r\n');
    const head = `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    expect(await exchange(`${head}${small}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
    expect(await exchange(`${head}x: ${'y'.repeat(1 << 20)}\r\n\r\n`)).toMatch(/^(HTTP\/1\.1 431|$)/);
    const few = Array.from({ length: 60 }, (_, i) => `x${i}: 1`).join('\r\n');
    const upgrade = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${TOKEN}\r\n`;
    expect(await exchange(`${head}${upgrade}${few}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
  });

  it('a slow request and a silent connection are dropped', async () => {
    const slow = connect(daemon.port, '127.0.0.1');
    slow.on('error', () => undefined).resume();
    slow.write(`GET ${SOCKET_PATH} HTTP/1.1\r\n`);
    const drip = setInterval(() => slow.write('x'), 200);
    const silent = connect(daemon.port, '127.0.0.1');
    silent.on('error', () => undefined).resume();
    await Promise.all([once(slow, 'close'), once(silent, 'close')]);
    clearInterval(drip);
  }, 20_000);

  it('1,000 connections at once leave the others served', async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 1000; i++) {
      const socket = connect(daemon.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
    }
    expect(await healthy.call('lc/runs', null)).toEqual([]);
    await Promise.all(sockets.map((socket) => (socket.closed ? null : once(socket, 'close'))));
    // And when they are gone, a newcomer gets in.
    const client = await daemon.client([workspace]);
    await client.close();
  }, 30_000);

  it('too many clients with the token are turned away; one that leaves makes room', async () => {
    const clients: Client[] = [];
    let refused = 0;
    for (let i = 0; i < 20; i++) {
      await Client.open(daemon.connect()).then(
        (client) => clients.push(client),
        () => refused++,
      );
    }
    expect(clients.length).toBeGreaterThanOrEqual(8);
    expect(refused).toBeGreaterThan(0);
    await Promise.all(clients.map((client) => client.close()));
    await (await Client.open(daemon.connect())).close();
  });
});

describe('what a client may say', () => {
  let client: Client;
  afterEach(() => client.close());

  it('calls before initialize are refused, notifications ignored', async () => {
    client = await Client.open(daemon.connect());
    expect((await client.refused('lc/runs', null)).code).toBe(-32002);
    expect((await client.refused('shutdown')).code).toBe(-32002);
    client.notify('lc/trust', { trusted: true });
    client.notify('textDocument/didOpen', { textDocument: 7 });
    await client.initialize([workspace], { trusted: false });
    expect(
      (await client.refused('lc/createPlan', { model: join(workspace, 'x'), data: 'mnist', budget: {} })).code,
    ).toBe(-32051);
  });

  it('a second initialize, and anything after shutdown, is refused; exit closes only this connection', async () => {
    client = await daemon.client([workspace]);
    expect((await client.refused('initialize', { capabilities: {} })).code).toBe(-32600);
    expect(await client.call('shutdown')).toBeNull();
    expect((await client.refused('lc/runs', null)).code).toBe(-32600);
    const closed = once(client.socket, 'close');
    client.notify('exit');
    await closed;
  });

  it('a failed initialize may be repeated', async () => {
    client = await Client.open(daemon.connect());
    const bad = { processId: null, rootUri: null, capabilities: {}, initializationOptions: { trusted: 'yes' } };
    expect((await client.refused('initialize', bad)).code).toBe(-32602);
    await client.initialize([workspace], { trusted: true });
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
    client = await daemon.client([workspace]);
    const from = client.received.length;
    client.raw(text);
    expect((await client.waitFor((message) => message.error !== undefined, from)).error!.code).toBe(code);
    expect(await client.call('lc/runs', null)).toEqual([]);
  });

  it('a binary frame and a frame over 2 MiB end the connection', async () => {
    for (const frame of [Buffer.from('{}'), ' '.repeat(2 * 1024 * 1024 + 1)]) {
      client = await daemon.client([workspace]);
      const closed = once(client.socket, 'close');
      client.raw(frame);
      expect([1003, 1009]).toContain((await closed)[0]);
    }
  });

  it('a frame of just under 2 MiB is read', async () => {
    client = await daemon.client([workspace]);
    const error = await client.refused('lc/inspect', { model: `/${'x'.repeat(2 * 1024 * 1024 - 200)}` });
    expect(error.code).toBe(-32602);
    expect(error.message.length).toBeLessThan(1000);
  });

  it('an id in use is refused, as a number or as a string; both requests are answered', async () => {
    client = await daemon.client([workspace]);
    const request = (id: number | string) => JSON.stringify({ jsonrpc: '2.0', id, method: 'lc/runs', params: null });
    client.raw(request(900));
    client.raw(request(900));
    client.raw(request('900'));
    await client.waitFor((message) => message.result !== undefined && message.id === 900);
    await client.waitFor((message) => message.error?.code === -32600 && message.id === 900);
    await client.waitFor((message) => message.error?.code === -32600 && message.id === '900');
  });

  it('answers to requests nobody made, unknown methods, late and early cancels are survived', async () => {
    client = await daemon.client([workspace]);
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
    client = await daemon.client([workspace]);
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
    client = await daemon.client([workspace]);
    expect((await client.refused(method, params)).code).toBe(-32602);
  });

  it('numbers that JSON turns into infinity are refused', async () => {
    client = await daemon.client([workspace]);
    const from = client.received.length;
    client.raw('{"jsonrpc":"2.0","id":77,"method":"lc/history","params":{"run":"r","from":1e999,"limit":-1e999}}');
    expect((await client.waitFor((message) => message.id === 77, from)).error!.code).toBe(-32602);
  });
});

describe('where a client may reach', () => {
  let client: Client;
  beforeAll(async () => {
    client = await daemon.client([workspace]);
  });
  afterAll(() => client.close());

  const escapes = () => [
    '/etc/passwd',
    outside,
    join(outside, 'model.json'),
    `${workspace}/../outside/model.json`,
    `${workspace}-other/model.json`,
    join(workspace, 'link', 'model.json'),
    join(workspace, 'link.json'),
    join(workspace, 'link', 'new', 'file.json'),
    'model.json',
    '../outside/model.json',
    './link.json',
    '~/model.json',
    `file://${outside}/model.json`,
    'C:\\Windows\\win.ini',
    '\\\\server\\share\\model.json',
    `${workspace}\0/model.json`,
    `${workspace}/${'a/'.repeat(1000)}../../model.json`,
  ];

  it.each<[string, (path: string) => unknown]>([
    ['lc/inspect', (model) => ({ model })],
    ['lc/preview', (model) => ({ model, budget: { keep: '1%' } })],
    ['lc/createPlan', (model) => ({ model, data: 'mnist', budget: { keep: '1%' } })],
    ['lc/searchData', (model) => ({ model })],
    ['lc/previewData', (model) => ({ model, data: 'mnist' })],
    ['lc/start', (planPath) => ({ planPath })],
    ['lc/previewPlan', (planPath) => ({ planPath })],
  ])('%s stays inside the workspace', async (method, params) => {
    for (const path of escapes()) {
      const error = await client.refused(method, params(path));
      expect({ path, code: error.code, data: error.data }).toMatchObject({ path, code: -32050 });
      // The last one only winds about inside: there it is simply missing.
      const inside = resolve(path).startsWith(`${workspace}/a/`);
      expect((error.data as { code: string }).code).toMatch(
        inside ? /^(model-missing|plan-invalid)$/ : /^path-outside-workspace$/,
      );
      expect(error.message).not.toContain('internal error');
    }
  });

  it.each([
    ['lc/plan', {}],
    ['lc/delete', {}],
    ['lc/rename', { name: 'x' }],
    ['lc/pause', {}],
    ['lc/resume', {}],
    ['lc/stop', {}],
    ['lc/setBudget', { budget: { keep: '1%' } }],
    ['lc/history', { from: 0, limit: 10 }],
    ['lc/subscribe', { on: true }],
    ['lc/layer', { layer: 'fc1' }],
    ['lc/exportFormats', {}],
    ['lc/latency', { point: 0 }],
    ['lc/finish', {}],
    ['lc/changed', { point: 0 }],
    ['lc/trySample', { sample: { kind: 'values', inputs: [[1]] } }],
    ['lc/export', { format: 'tfjs-layers', target: '/etc/passwd' }],
  ])('%s takes no path for a run', async (method, rest) => {
    for (const run of ['..', '.', '../../outside', '/etc', 'a/b', 'a\\b', '\0', '__proto__', 'absent', '%2e%2e']) {
      const error = await client.refused(method, { run, ...rest });
      expect(error.code).toBe(-32050);
      expect((error.data as { code: string }).code).toBe('run-missing');
    }
  });

  it('an export of a run that exists goes nowhere outside, and no sample comes from there', async () => {
    const run = 'victim';
    const runs = join(workspace, '.lcprune');
    await mkdir(join(runs, 'runs', run), { recursive: true });
    try {
      for (const target of escapes()) {
        if (resolve(target).startsWith(`${workspace}/a/`)) continue;
        const error = await client.refused('lc/export', { run, format: 'tfjs-layers', target });
        expect({ target, data: error.data }).toMatchObject({ target, data: { code: 'path-outside-workspace' } });
        const sample = { kind: 'file', file: target };
        const tried = await client.refused('lc/trySample', { run, sample });
        expect({ target, data: tried.data }).toMatchObject({ target, data: { code: 'path-outside-workspace' } });
      }
    } finally {
      await rm(runs, { recursive: true });
    }
  });

  it('a plan outside that is opened in the editor is not read further, and reaches nothing', async () => {
    const textDocument = { uri: `file://${join(outside, 'evil.prune.json')}` };
    const text = '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }';
    const from = client.received.length;
    client.notify('textDocument/didOpen', { textDocument: { ...textDocument, languageId: 'x', version: 1, text } });
    expect(await client.call('textDocument/documentLink', { textDocument })).toEqual([]);
    const told = client.received.slice(from).filter(({ method }) => method === 'textDocument/publishDiagnostics');
    expect(JSON.stringify(told)).not.toContain('model.json');
    client.notify('textDocument/didClose', { textDocument });
  });

  it('files outside are not described by language features, inside links are not followed', async () => {
    for (const path of [join(outside, 'model.json'), join(workspace, 'link.json')]) {
      const textDocument = { uri: `file://${path}` };
      expect(await client.call('textDocument/codeLens', { textDocument })).toEqual([]);
      expect(await client.call('textDocument/hover', { textDocument, position: { line: 0, character: 0 } })).toBeNull();
    }
  });

  it('without trust nothing runs, nothing is written, and the message says what to do', async () => {
    const careful = await daemon.client([workspace], { trusted: false });
    const run = { run: 'x' };
    for (const [method, params] of [
      ['lc/start', { planPath: join(workspace, 'x.prune.json') }],
      ['lc/resume', run],
      ['lc/delete', run],
      ['lc/rename', { ...run, name: 'y' }],
      ['lc/setBudget', { ...run, budget: { keep: '1%' } }],
      ['lc/createPlan', { model: join(workspace, 'model.json'), data: 'mnist', budget: { keep: '1%' } }],
      ['lc/previewData', { model: join(workspace, 'model.json'), data: 'mnist' }],
      ['lc/export', { ...run, format: 'tfjs-layers', target: join(workspace, 'out') }],
    ] as const) {
      const error = await careful.refused(method, params);
      expect(error).toMatchObject({ code: -32051, message: expect.stringContaining('Workspace Trust') });
    }
    careful.notify('lc/trust', { trusted: true });
    expect((await careful.refused('lc/resume', run)).code).toBe(-32050);
    careful.notify('lc/trust', { trusted: 'yes' });
    careful.notify('lc/trust', { trusted: false });
    expect((await careful.refused('lc/resume', run)).code).toBe(-32051);
    await careful.close();
  });

  it('a folder that is no folder, a root and a foreign URI give no workspace', async () => {
    const lost = await Client.open(daemon.connect());
    await lost.call('initialize', {
      processId: null,
      rootUri: null,
      capabilities: {},
      workspaceFolders: [
        'file:///',
        'https://evil.example/',
        'file:///absent',
        'vscode-vfs://github/a/b',
        'not a uri',
      ].map((uri) => ({ uri, name: uri })),
      initializationOptions: { trusted: true },
    });
    lost.notify('initialized', {});
    expect((await lost.refused('lc/inspect', { model: '/etc/passwd' })).code).toBe(-32050);
    expect(await lost.call('lc/runs', null)).toEqual([]);
    await lost.close();
  });
});
