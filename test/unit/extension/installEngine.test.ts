/** Installing an engine, over a stand-in for npm: the request, the messages, the failure, the end. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPeer } from '../../../daemon/engine/direct/peers.js';
import type { NodeCommand } from '../../../extension/daemon/findNode.js';
import { INSTALLABLE } from '../../../extension/engine/installable.js';
import { findNpm, installPackages } from '../../../extension/npm/npm.js';
import { isAlive } from '../../fixtures/isAlive.js';

const node: NodeCommand = { command: process.execPath, env: {}, origin: 'PATH' };
let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'install-'));
});
afterEach(() => rm(base, { recursive: true }));

async function npmThat(script: string): Promise<string> {
  const path = join(base, 'npm-cli.cjs');
  await writeFile(path, `const fs = require('node:fs'); const path = require('node:path');\n${script}`);
  return path;
}
const install = (npm: string, more: Partial<Parameters<typeof installPackages>[0]> = {}) =>
  installPackages({
    node,
    npm,
    folder: join(base, 'engines'),
    packages: INSTALLABLE['tfjs-node-gpu'],
    scripts: true,
    signal: new AbortController().signal,
    onLine: () => {},
    ...more,
  });

test('the npm of this Node is found', async () => {
  expect(await findNpm(node, process.env.PATH ?? '')).toMatch(/npm-cli\.js$/);
});

test('the packages lie where the daemon finds them, and every line is shown', async () => {
  const npm = await npmThat(`
    fs.writeFileSync('arguments.json', JSON.stringify(process.argv.slice(2)));
    for (const spec of process.argv.filter((a) => /@\\d/.test(a))) {
      const name = spec.replace(/@[^@]+$/, '');
      const folder = path.join('node_modules', name);
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
      fs.writeFileSync(path.join(folder, 'index.js'), '');
      console.log('added ' + name);
    }`);
  const lines: string[] = [];
  await install(npm, { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(['added @tensorflow/tfjs-node-gpu']);
  const folder = join(base, 'engines');
  expect('peer' in findPeer('@tensorflow/tfjs-node-gpu', [folder])).toBe(true);
  // Users who forbid install scripts elsewhere must still get the native library that they install here.
  expect(JSON.parse(await readFile(join(folder, 'arguments.json'), 'utf8'))).toEqual(
    expect.arrayContaining(['install', '--ignore-scripts=false', '@tensorflow/tfjs-node-gpu@4.22.0']),
  );
});

test('a failure is reported by npm’s own reason, not by the stack and the log that end its words', async () => {
  const npm = await npmThat(`
    console.error('npm error code ENOSPC');
    console.error('npm error no space left on device, write');
    for (let i = 0; i < 12; i++) console.error('npm error     at Object.write (node:fs:' + i + ')');
    console.error('npm error A complete log of this run can be found in: /root/.npm/_logs/x.log');
    process.exit(7);`);
  await expect(install(npm)).rejects.toThrow(
    'npm could not install @tensorflow/tfjs-node-gpu@4.22.0: ENOSPC: no space left on device, write (the disk is full)',
  );
});

test('cancelled, npm and the scripts it started are gone', async () => {
  const npm = await npmThat(`
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    fs.writeFileSync('pids.json', JSON.stringify([process.pid, child.pid]));
    console.log('downloading');
    setInterval(() => {}, 1000);`);
  const controller = new AbortController();
  const installing = install(npm, { signal: controller.signal, onLine: () => controller.abort() });
  await expect(installing).rejects.toMatchObject({ name: 'AbortError' });
  const pids = JSON.parse(await readFile(join(base, 'engines', 'pids.json'), 'utf8')) as number[];
  const alive = () => pids.filter(isAlive);
  for (let i = 0; i < 50 && alive().length > 0; i++) await wait(100);
  expect(alive()).toEqual([]);
});
