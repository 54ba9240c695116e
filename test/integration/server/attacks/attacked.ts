/** The daemon that the attacks are tried on, with a client that was there before, and files outside its workspace. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundle } from '../../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder } from '../harness.js';

export interface Attacked {
  readonly workspace: string;
  /** A folder beside the workspace; links in the workspace lead to it. */
  readonly outside: string;
  readonly daemon: Daemon;
  readonly healthy: Client;
  /** Checks after each attack that the same process, and its earlier client, still work. */
  expectWell(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the product's daemon on a fresh workspace. */
export async function startAttacked(): Promise<Attacked> {
  const scratch = await temporaryFolder();
  const workspace = join(scratch.path, 'workspace');
  const outside = join(scratch.path, 'outside');
  await mkdir(workspace);
  await mkdir(outside);
  await writeFile(join(outside, 'model.json'), '{"modelTopology":{}}');
  await writeFile(join(outside, 'secret.prune.json'), '{}');
  await symlink(outside, join(workspace, 'link'));
  await symlink(join(outside, 'model.json'), join(workspace, 'link.json'));
  const daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
  const healthy = await daemon.client([workspace]);
  return {
    workspace,
    outside,
    daemon,
    healthy,
    async expectWell() {
      expect(daemon.alive).toBe(true);
      expect(await healthy.call('lc/runs', null)).toEqual([]);
      expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
    },
    async close() {
      await healthy.close();
      expect(await daemon.close()).toBe(0);
      await scratch.remove();
    },
  };
}
