import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Daemon, temporaryFolder, TOKEN } from './harness.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
const daemons: Daemon[] = [];
const start = async (...args: Parameters<typeof Daemon.start>): Promise<Daemon> => {
  const daemon = await Daemon.start(...args);
  daemons.push(daemon);
  return daemon;
};

beforeAll(async () => {
  folder = await temporaryFolder();
  script = await bundle('daemon/main.ts', join(folder.path, 'dist'));
});
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.close()));
});
afterAll(() => folder.remove());

/** Starts the daemon with `stdin`, closes it or not, and waits for its end. */
async function runWith(stdin: string, end: boolean): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script], { stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  child.stdin.on('error', () => undefined);
  child.stdin.write(stdin);
  if (end) child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('daemon process', () => {
  it('says hello once, as one JSON line, and ends with stdin', async () => {
    const daemon = await start(script);
    expect(daemon.hello).toMatchObject({ protocol: 1, pid: daemon.child.pid });
    expect(daemon.port).toBeGreaterThan(1023);
    expect(await daemon.close()).toBe(0);
  });

  it('ends on SIGTERM with code 0', async () => {
    const daemon = await start(script);
    const exit = once(daemon.child, 'exit');
    daemon.child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it.each([
    ['an empty token', '\n', false],
    ['a short token', 'short\n', false],
    ['a token with a space', 'a token of sixteen characters\n', false],
    ['an endless token', 'x'.repeat(100_000), false],
    ['no token at all', '', true],
    ['a token without line end', TOKEN, true],
  ])('refuses %s with code 2, one clear line and nothing on stdout', async (_name, stdin, end) => {
    const { code, stdout, stderr } = await runWith(stdin, end);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/token/);
    expect(stderr).not.toContain(TOKEN);
  });

  it('loads no machine-learning library, on the way to its first answers', async () => {
    const coverage = join(folder.path, 'coverage');
    await mkdir(coverage);
    const daemon = await start(script, { env: { NODE_V8_COVERAGE: coverage } });
    const client = await daemon.client([folder.path]);
    expect(await client.call('lc/runs', null)).toEqual([]);
    await client.close();
    const maps = process.platform === 'linux' ? await readFile(`/proc/${daemon.child.pid}/maps`, 'utf8') : '';
    expect(maps).not.toMatch(/onnxruntime|tfjs|libtensorflow/);
    expect(await daemon.close()).toBe(0);
    const [report] = await readdir(coverage);
    const { result } = JSON.parse(await readFile(join(coverage, report!), 'utf8')) as { result: { url: string }[] };
    const loaded = result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
    expect(loaded.length).toBeGreaterThan(1);
    for (const url of loaded) {
      expect(url).not.toMatch(/tensorflow|onnxruntime|h5wasm/);
      // Bundled modules are named in comments.
      expect(await readFile(new URL(url), 'utf8')).not.toMatch(
        /^\/\/ .*node_modules\/(@tensorflow|onnxruntime|h5wasm)/m,
      );
    }
  });

  it('answers initialize, then requests; sends a stranger nothing', async () => {
    const daemon = await start(script);
    const client = await daemon.client([folder.path]);
    await writeFile(join(folder.path, 'note.txt'), 'x');
    expect((await client.refused('lc/inspect', { model: join(folder.path, 'absent.json') })).data).toMatchObject({
      code: 'model-missing',
    });
    expect(daemon.stderr).not.toContain(TOKEN);
  });
});
