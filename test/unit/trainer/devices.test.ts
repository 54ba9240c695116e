import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { devicesOf } from '../../../daemon/trainer/devices.js';

const folder = mkdtempSync(join(tmpdir(), 'lc-started-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the devices a run was on', () => {
  const read = (lines: string[], bytes?: number) => {
    const file = join(folder, 'events.jsonl');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return devicesOf(file, bytes ?? statSync(file).size);
  };
  const start = (device: string) => JSON.stringify({ time: 1, event: 'start', device });
  const note = JSON.stringify({ time: 1, event: 'warning', code: 'note', message: 'the "start" of it' });

  it('are those of every start in the log, the first one first', async () => {
    expect(await read([note, start('CPU, AVX-512'), note, start('CPU, AVX2')])).toEqual(['CPU, AVX-512', 'CPU, AVX2']);
  });

  it('does not count what was logged after the checkpoint', async () => {
    const first = start('CPU, AVX-512');
    expect(await read([first, start('CPU, AVX2')], first.length + 1)).toEqual(['CPU, AVX-512']);
  });

  it('are none without a log and without a start, and a damaged line hides no other', async () => {
    expect(await devicesOf(join(folder, 'none'), 100)).toEqual([]);
    expect(await read(['{"event":"phase"}'])).toEqual([]);
    expect(await read(['{"event":"start", "dev', start('CPU, AVX2')])).toEqual(['CPU, AVX2']);
  });
});
