/** The event log where a file that is open for appending cannot be truncated, as on Windows (nodejs/node issue 3177). */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openEventWriter } from '../../../daemon/trainer/log/eventWriter.js';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const appending = new Set<number>();
  return {
    ...fs,
    openSync(path: string, flags: string | number, mode?: number) {
      const descriptor = fs.openSync(path, flags, mode);
      const appends = typeof flags === 'string' ? flags.startsWith('a') : (flags & fs.constants.O_APPEND) !== 0;
      if (appends) appending.add(descriptor);
      else appending.delete(descriptor);
      return descriptor;
    },
    ftruncateSync(descriptor: number, length?: number) {
      if (appending.has(descriptor))
        throw Object.assign(new Error('EPERM: operation not permitted, ftruncate'), { code: 'EPERM' });
      fs.ftruncateSync(descriptor, length);
    },
  };
});

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-'));
  file = join(folder, 'events.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const warning = (message: string) => ({ event: 'warning', code: 'note', message }) as const;
const messages = async () =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message);

it('a new log is begun, and a resumed run drops what it repeats and goes on from there', async () => {
  const first = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
  first.write(warning('one'));
  const { position } = first;
  first.write(warning('two, much longer than what comes in its place'));
  first.close();
  const again = openEventWriter(file, position, () => 6);
  again.write(warning('zwei'));
  again.write(warning('drei'));
  again.close();
  expect(await messages()).toEqual(['one', 'zwei', 'drei']);
  expect(again.position.events).toBe(3);
});

it('a log that is shorter than its position is continued at its end', async () => {
  await writeFile(file, '{"event":"warning","message":"one"}\n');
  const writer = openEventWriter(file, { bytes: 1000, events: 7 }, () => 5);
  writer.write(warning('two'));
  writer.close();
  expect(await messages()).toEqual(['one', 'two']);
});
