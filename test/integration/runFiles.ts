/** The files that a run has left, and whether its trainer has ended. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { readEvents } from '../../daemon/runs/list/registry.js';
import { isAlive } from '../fixtures/isAlive.js';

export const theta = (folder: string) =>
  readdir(join(folder, 'result')).then(async (names) =>
    Promise.all(
      names
        .filter((name) => name.endsWith('.bin') || name === 'model.json')
        .sort()
        .map((name) => readFile(join(folder, 'result', name), 'base64')),
    ),
  );

export async function history(folder: string): Promise<RunEvent[]> {
  const { events, end } = await readEvents(folder, 0, 100_000);
  expect(end).toBe(true);
  return events;
}

export async function untilGone(pid: number): Promise<void> {
  for (let i = 0; i < 400 && isAlive(pid); i++) await wait(25);
  expect(isAlive(pid)).toBe(false);
}
