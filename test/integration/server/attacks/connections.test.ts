/** Who may connect, and what a connection may send before it speaks the protocol: the daemon keeps serving the others. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SOCKET_PATH } from '../../../../daemon/protocol/messages.js';
import { Client, TOKEN } from '../harness.js';
import { startAttacked, type Attacked } from './attacked.js';

let attacked: Attacked;
beforeAll(async () => {
  attacked = await startAttacked();
});
afterEach(() => attacked.expectWell());
afterAll(() => attacked.close());

/** The HTTP status with which an upgrade is refused, or 101. */
async function statusOf(headers: Record<string, string>, path?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: attacked.daemon.port,
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

/** Sends bytes and reads the answer until the daemon closes the connection. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(attacked.daemon.port, '127.0.0.1');
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
    expect(await statusOf({ ...bearer, origin: `http://127.0.0.1:${attacked.daemon.port}` })).toBe(403));

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
    expect([400, 403]).toContain(await statusOf({ ...bearer, host: host(attacked.daemon.port) }));
  });

  it('two Host or two Authorization headers are refused', async () => {
    const head = `GET ${SOCKET_PATH} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;
    const host = `Host: 127.0.0.1:${attacked.daemon.port}\r\n`;
    const token = `Authorization: Bearer ${TOKEN}\r\n`;
    expect(await exchange(`${head}${host}Host: evil.example\r\n${token}\r\n`)).toMatch(/^HTTP\/1\.1 40[03]/);
    expect(await exchange(`${head}${host}${token}Authorization: Bearer other\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[01]/);
  });

  it.each(['GET', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'TRACE'])('plain %s gets nothing', async (method) => {
    const text = await exchange(
      `${method} ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${attacked.daemon.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 0\r\n\r\n`,
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
    const head = `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${attacked.daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    expect(await exchange(`${head}${small}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
    expect(await exchange(`${head}x: ${'y'.repeat(1 << 20)}\r\n\r\n`)).toMatch(/^(HTTP\/1\.1 431|$)/);
    const few = Array.from({ length: 60 }, (_, i) => `x${i}: 1`).join('\r\n');
    const upgrade = `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${TOKEN}\r\n`;
    expect(await exchange(`${head}${upgrade}${few}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
  });

  it('a slow request and a silent connection are dropped', async () => {
    const slow = connect(attacked.daemon.port, '127.0.0.1');
    slow.on('error', () => undefined).resume();
    slow.write(`GET ${SOCKET_PATH} HTTP/1.1\r\n`);
    const drip = setInterval(() => slow.write('x'), 200);
    const silent = connect(attacked.daemon.port, '127.0.0.1');
    silent.on('error', () => undefined).resume();
    await Promise.all([once(slow, 'close'), once(silent, 'close')]);
    clearInterval(drip);
  }, 20_000);

  it('1,000 connections at once leave the others served', async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 1000; i++) {
      const socket = connect(attacked.daemon.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
    }
    expect(await attacked.healthy.call('lc/runs', null)).toEqual([]);
    await Promise.all(sockets.map((socket) => (socket.closed ? null : once(socket, 'close'))));
    // And when they are gone, a newcomer gets in.
    const client = await attacked.daemon.client([attacked.workspace]);
    await client.close();
  }, 30_000);

  it('too many clients with the token are turned away; one that leaves makes room', async () => {
    const clients: Client[] = [];
    let refused = 0;
    for (let i = 0; i < 20; i++) {
      await Client.open(attacked.daemon.connect()).then(
        (client) => clients.push(client),
        () => refused++,
      );
    }
    expect(clients.length).toBeGreaterThanOrEqual(8);
    expect(refused).toBeGreaterThan(0);
    await Promise.all(clients.map((client) => client.close()));
    await (await Client.open(attacked.daemon.connect())).close();
  });
});
