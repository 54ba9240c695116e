/** Other processes of a window: jobs whose answer nobody can read any more end with their daemon. Needs `npm run build`. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AbsolutePath } from '../../../daemon/protocol/paths.js';
import { tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { Window } from './window.js';
import { isAlive } from '../../fixtures/isAlive.js';

let tiny: TinyWorkspace;
beforeEach(async () => void (tiny = await tinyWorkspace()));
afterEach(() => tiny.remove());

/** The helper processes of a daemon. */
async function jobsOf(daemon: number): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const status = await readFile(`/proc/${entry}/status`, 'utf8').catch(() => '');
    if (command.includes('--job') && status.includes(`\nPPid:\t${daemon}\n`)) found.push(Number(entry));
  }
  return found;
}

it.each(['closed', 'killed'] as const)(
  'the preview of data that never comes ends with a daemon that is %s',
  async (how) => {
    await writeFile(tiny.path('slow.mjs'), 'await new Promise((resolve) => setTimeout(resolve, 3600_000));');
    const window = await Window.open({
      script: resolve('dist', 'daemon.mjs'),
      workspace: tiny.folder,
      keepTraining: true,
    });
    const model = tiny.path('model.json') as AbsolutePath;
    window.client.send({
      jsonrpc: '2.0',
      id: 99,
      method: 'lc/previewData',
      params: { model, data: { source: 'slow.mjs' } },
    });
    const daemon = window.daemon.child.pid!;
    await expect.poll(async () => (await jobsOf(daemon)).length, { timeout: 20_000 }).toBe(1);
    const [job] = await jobsOf(daemon);
    if (how === 'closed') await window.close();
    else await window.kill();
    await expect.poll(() => isAlive(job!), { timeout: 10_000 }).toBe(false);
  },
);
