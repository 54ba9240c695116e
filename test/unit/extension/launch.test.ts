import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNode, parseVersion, type Surroundings } from '../../../extension/daemon/findNode.js';
import { launchDaemon, parseHello } from '../../../extension/daemon/launch.js';
import { LaunchError } from '../../../extension/daemon/launchError.js';
import { Backoff } from '../../../extension/daemon/backoff.js';
import { isAlive } from '../../fixtures/isAlive.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-prune-launch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

/** A daemon that is only a script; it writes its process id beside itself first. */
async function launch(script: string, options: { timeout?: number; grace?: number; command?: string } = {}) {
  const entry = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  const pidFile = `${entry}.pid`;
  await writeFile(
    entry,
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));\n${script}`,
  );
  const logged: string[] = [];
  const outcome = await launchDaemon({
    node: { command: options.command ?? process.execPath, env: {}, origin: 'PATH' },
    entry,
    engineFolders: ['/a folder/engines', '/other'],
    timeout: options.timeout ?? 10_000,
    grace: options.grace ?? 2000,
    log: (_level, line) => logged.push(line),
  }).catch((error: unknown) => error);
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  return { outcome, pid, logged };
}

const HELLO = `const hello = { protocol: 1, port: 12345, pid: process.pid, version: '1.2.3' };`;
const UNTIL_EOF = `process.stdin.on('end', () => process.exit(0)); process.stdin.resume();`;

describe('launching a daemon', () => {
  test('takes the token as the first line and says hello', async () => {
    const { outcome, pid } = await launch(
      `${HELLO} process.stdin.once('data', (d) => { hello.version = String(d).trim(); console.log(JSON.stringify(hello)); }); ${UNTIL_EOF}`,
    );
    if (outcome instanceof Error) throw outcome;
    const daemon = outcome as Awaited<ReturnType<typeof launchDaemon>>;
    expect(daemon.hello.port).toBe(12345);
    expect(daemon.hello.version).toBe(daemon.token);
    expect(daemon.token).toMatch(/^[\w-]{43}$/);
    await daemon.stop();
    expect(await daemon.exited).toBe('exit code 0');
    expect(isAlive(pid)).toBe(false);
  });

  test('passes on where optional engines may lie', async () => {
    const { outcome } = await launch(
      `${HELLO} hello.version = process.env.LC_PRUNE_ENGINES; console.log(JSON.stringify(hello)); ${UNTIL_EOF}`,
    );
    if (outcome instanceof Error) throw outcome;
    const daemon = outcome as Awaited<ReturnType<typeof launchDaemon>>;
    expect(daemon.hello.version.split(delimiter)).toEqual(['/a folder/engines', '/other']);
    await daemon.stop();
  });

  test('a daemon that ends at once is reported with its last output', async () => {
    const { outcome } = await launch(`console.error('the disk is on fire'); process.exit(3);`);
    expect(outcome).toBeInstanceOf(LaunchError);
    expect((outcome as LaunchError).problem).toBe('exited');
    expect((outcome as LaunchError).message).toContain('exit code 3');
    expect((outcome as LaunchError).message).toContain('the disk is on fire');
  });

  test('junk instead of hello is refused, and nothing is left running', async () => {
    const { outcome, pid } = await launch(`console.log('Welcome to Bash!'); setInterval(() => {}, 1000);`);
    expect((outcome as LaunchError).problem).toBe('junk');
    expect((outcome as LaunchError).message).toContain('Welcome to Bash!');
    expect(isAlive(pid)).toBe(false);
  });

  test('an endless first line does not fill the memory', async () => {
    const { outcome, pid } = await launch(`setInterval(() => process.stdout.write('x'.repeat(1e5)), 1);`);
    expect((outcome as LaunchError).problem).toBe('junk');
    expect(isAlive(pid)).toBe(false);
  });

  test('a late hello is refused, and nothing is left running', async () => {
    const { outcome, pid } = await launch(`${HELLO} setTimeout(() => console.log(JSON.stringify(hello)), 5000);`, {
      timeout: 700,
    });
    expect((outcome as LaunchError).problem).toBe('late');
    expect(isAlive(pid)).toBe(false);
  });

  test('one that ignores the end of its input is killed', async () => {
    const { outcome, pid } = await launch(
      `${HELLO} process.on('SIGTERM', () => {}); console.log(JSON.stringify(hello)); setInterval(() => {}, 1000);`,
      { grace: 200 },
    );
    await (outcome as Awaited<ReturnType<typeof launchDaemon>>).stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('a missing program names itself and the setting', async () => {
    const { outcome } = await launch('', { command: join(folder, 'no-such-node') });
    expect((outcome as LaunchError).message).toContain('no-such-node');
    expect((outcome as LaunchError).message).toContain('lcPrune.nodePath');
  });

  test('the hello of another protocol names the way out', () => {
    const outcome = parseHello('{"protocol":99,"port":1,"pid":1,"version":"x"}');
    expect(outcome).toBeInstanceOf(LaunchError);
    expect((outcome as LaunchError).problem).toBe('protocol');
    expect((outcome as LaunchError).message).toContain('reload the window');
  });

  test.each(['{}', 'null', '[]', '{"protocol":1,"port":99999,"pid":1,"version":"x"}', '{"protocol":1,"port":"1"}'])(
    'hello %s is junk',
    (line) => {
      expect((parseHello(line) as LaunchError).problem).toBe('junk');
    },
  );
});

describe('which Node', () => {
  const around = (part: Partial<Surroundings>): Surroundings => ({
    setting: '',
    execPath: '/editor',
    electron: true,
    path: '/usr/bin',
    version: async () => 'v22.3.0\n',
    ...part,
  });

  test('the setting wins, and a bad one is an error rather than another Node', async () => {
    expect(await findNode(around({ setting: '/my/node' }))).toEqual({
      command: '/my/node',
      env: {},
      origin: 'setting',
    });
    await expect(findNode(around({ setting: '/my/node', version: async () => 'v18.0.0' }))).rejects.toThrow(/20\.19/);
    await expect(findNode(around({ setting: '/my/node', version: async () => 'Python 3' }))).rejects.toThrow(
      /not Node/,
    );
    await expect(
      findNode(around({ setting: '/my/node', version: () => Promise.reject(new Error('ENOENT')) })),
    ).rejects.toThrow(/does not start/);
  });

  test('node on PATH, unless it is too old or missing', async () => {
    expect((await findNode(around({}))).command).toBe('node');
    const editor = { command: '/editor', env: { ELECTRON_RUN_AS_NODE: '1' }, origin: 'editor' };
    expect(await findNode(around({ version: async () => 'v20.18.9' }))).toEqual(editor);
    expect(await findNode(around({ version: () => Promise.reject(new Error('ENOENT')) }))).toEqual(editor);
    expect(await findNode(around({ path: '' }))).toEqual(editor);
  });

  test('a remote extension host is plain Node already', async () => {
    expect((await findNode(around({ path: '', electron: false }))).env).toEqual({});
  });

  test('versions', () => {
    expect(parseVersion('v20.19.0\n')).toEqual([20, 19]);
    expect(parseVersion('20.19.0')).toBeNull();
  });
});

describe('restarts', () => {
  test('come later and later, then stop until a person asks or time has passed', () => {
    const backoff = new Backoff([10, 20], 1000);
    expect([backoff.next(0), backoff.next(1), backoff.next(2)]).toEqual([10, 20, null]);
    backoff.reset();
    expect(backoff.next(3)).toBe(10);
    expect(backoff.next(2000)).toBe(10);
  });
});
