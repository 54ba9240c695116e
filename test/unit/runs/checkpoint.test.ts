import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import {
  latestCheckpoint,
  readCheckpoint,
  tidyCheckpoints,
  writeCheckpoint,
} from '../../../daemon/trainer/checkpoint.js';
import { execute } from '../../../daemon/trainer/process/execute.js';
import type { RunState } from '../../../daemon/trainer/state.js';
import { fakeRun, PLAN } from '../trainer/fakeRun.js';

let folder: string;
let state: RunState;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  const run = fakeRun({
    ...PLAN,
    schedule: { ...PLAN.schedule, iterations: 2 },
    reference: { ...PLAN.reference, epochs: 1 },
  });
  await execute(run, null);
  state = run.saved.at(-1)!;
  // Bit patterns that a careless copy would change.
  state.vectors.w.set([NaN, -0, Infinity, 1e-45, -3.4e38]);
});
afterEach(() => rm(folder, { recursive: true }));

const bits = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex');

describe('checkpoints', () => {
  it('of earlier versions, without the running loss and the best epoch, are read', async () => {
    const { guard: _guard, best: _best, agreement: _agreement, ...progress } = state.progress;
    const names = ['w', 'velocity', 'statistics', 'theta', 'lambda', 'startW', 'startStatistics'] as const;
    const vectors = names.map((name) => state.vectors[name]);
    const log = { bytes: 0, events: 0 };
    const header = Buffer.from(JSON.stringify({ progress, log, lengths: vectors.map(({ length }) => length) }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const parts = vectors.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
    const content = Buffer.concat([Buffer.from('LCPRUNE1'), length, header, ...parts]);
    const file = join(folder, '000001.checkpoint');
    await writeFile(file, Buffer.concat([content, createHash('sha256').update(content).digest()]));
    const read = await readCheckpoint(file);
    expect(read.state.progress).toMatchObject({ ...progress, best: null, agreement: null });
    expect(read.state.progress.guard).toEqual({ start: null, smoothed: null, above: 0, off: false });
    expect(bits(read.state.vectors.startW)).toBe(bits(state.vectors.startW));
    expect(read.state.vectors.bestW).toHaveLength(0);
  });

  it('give back every bit', async () => {
    const file = await writeCheckpoint(folder, state, { bytes: 123, events: 4 });
    const read = await readCheckpoint(file);
    expect(read.log).toEqual({ bytes: 123, events: 4 });
    expect(read.state.progress).toEqual(state.progress);
    for (const name of Object.keys(state.vectors) as (keyof typeof state.vectors)[]) {
      expect(bits(read.state.vectors[name]), name).toBe(bits(state.vectors[name]));
    }
  });

  it('keep the last two and leave nothing else behind', async () => {
    for (let i = 0; i < 5; i++) await writeCheckpoint(folder, state, { bytes: i, events: i });
    expect((await readdir(folder)).sort()).toEqual(['000004.checkpoint', '000005.checkpoint']);
    expect((await latestCheckpoint(folder))!.log.bytes).toBe(4);
  });

  it('fall back to the one before when the newest is damaged, wherever the damage is', async () => {
    await writeCheckpoint(folder, state, { bytes: 1, events: 1 });
    const newest = await writeCheckpoint(folder, state, { bytes: 2, events: 2 });
    const whole = await readFile(newest);
    const random = createRandom(5);
    const damage: Buffer[] = Array.from({ length: 40 }, () => {
      const copy = Buffer.from(whole);
      copy[random.below(copy.length)]! ^= 1 + random.below(255);
      return copy;
    });
    for (const cut of [0, 1, 8, 11, 12, 40, whole.length >> 1, whole.length - 1]) damage.push(whole.subarray(0, cut));
    damage.push(Buffer.concat([whole, Buffer.alloc(4)]), Buffer.alloc(whole.length), Buffer.from('{"progress":{}}'));
    // A header length that would ask for 4 GB.
    const greedy = Buffer.from(whole);
    greedy.writeUInt32LE(0xffffffff, 8);
    damage.push(greedy);
    for (const content of damage) {
      await writeFile(newest, content);
      await expect(readCheckpoint(newest)).rejects.toMatchObject({ code: 'run-invalid' });
      const passedOver: string[] = [];
      expect((await latestCheckpoint(folder, (file) => passedOver.push(file)))!.log.bytes).toBe(1);
      expect(passedOver).toEqual([newest]);
    }
    await writeFile(join(folder, '.000003.checkpoint.123.abcd.tmp'), 'half');
    await tidyCheckpoints(folder, join(folder, '000001.checkpoint'));
    expect(await readdir(folder)).toEqual(['000001.checkpoint']);
  });

  it('report if none is intact, and if there is none', async () => {
    expect(await latestCheckpoint(folder)).toBeNull();
    expect(await latestCheckpoint(join(folder, 'absent'))).toBeNull();
    await truncate(await writeCheckpoint(folder, state, { bytes: 1, events: 1 }), 100);
    await expect(latestCheckpoint(folder)).rejects.toMatchObject({ code: 'run-invalid' });
  });

  it('refuse a header that is valid JSON of another shape', async () => {
    const file = await writeCheckpoint(folder, state, { bytes: 1, events: 1 });
    const other = { ...state, progress: { ...state.progress, step: -1 } };
    await writeCheckpoint(folder, other, { bytes: 1, events: 1 });
    await expect(readCheckpoint(join(folder, '000002.checkpoint'))).rejects.toThrow(/header/);
    await expect(readCheckpoint(file)).resolves.toBeDefined();
  });
});
