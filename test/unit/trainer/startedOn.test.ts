import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startedOn } from '../../../daemon/trainer/startedOn.js';

const folder = mkdtempSync(join(tmpdir(), 'lc-started-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the device a run started on', () => {
  const read = (lines: string[]) => {
    const file = join(folder, 'events.jsonl');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return startedOn(file);
  };

  it('is that of the first start in the log, not of a later one', async () => {
    const start = (device: string) => JSON.stringify({ time: 1, event: 'start', device });
    const note = JSON.stringify({ time: 1, event: 'warning', code: 'note', message: 'the "start" of it' });
    expect(await read([note, start('CPU, AVX-512'), note, start('CPU, AVX2')])).toBe('CPU, AVX-512');
  });

  it('is unknown without a log, without a start, or when the line is damaged', async () => {
    expect(await startedOn(join(folder, 'none'))).toBe(null);
    expect(await read(['{"event":"phase"}'])).toBe(null);
    expect(await read(['{"event":"start", "dev'])).toBe(null);
  });
});
