/** The reference as a teacher, over the fake session: its answers, kept or given batch by batch, and the order of the batches. */
import { describe, expect, it } from 'vitest';
import { ShuffledBatches } from '../../../../daemon/data/batches/batches.js';
import type { Part, Split } from '../../../../daemon/data/dataset.js';
import { DISTILL } from '../../../../daemon/lc/distillation.js';
import { taughtBatches } from '../../../../daemon/trainer/distill/taughtBatches.js';
import { taughtOf, Teacher } from '../../../../daemon/trainer/distill/teacher.js';
import type { Batches } from '../../../../daemon/trainer/run.js';
import { createSessions } from '../../../../daemon/trainer/sessions.js';
import { blobs, CLASSES, INPUTS } from '../fakeRun.js';
import { fakeSession, type FakeSession } from '../fakeSession.js';

const [SAMPLES, BATCH, SEED] = [40, 8, 5];
const T = 3;
const setup = { loss: 'categoricalCrossentropy', outputShape: [CLASSES] } as const;
const UNKNOWN = { all: null, own: null, weight: 1 };

const open = (): FakeSession => fakeSession({ inputs: INPUTS, classes: CLASSES, seed: 9, batchSize: BATCH });
const partOf = (split: Split): Part => ({ ...split, gatherTargets: () => undefined });

function teacherOf(split: Split, more: Partial<ConstructorParameters<typeof Teacher>[0]> = {}) {
  const sessions: FakeSession[] = [];
  const teacher = new Teacher({
    taught: { weight: 0.5, temperature: T },
    setup: { ...setup, lossSettings: {} },
    open: async () => {
      sessions.push(open());
      return sessions.at(-1)!;
    },
    train: partOf(split),
    chance: UNKNOWN,
    ...more,
  });
  return { teacher, sessions };
}

interface Taken {
  readonly inputs: Float32Array;
  readonly target: Float32Array;
  readonly answers: Float32Array;
}

async function take(batches: Batches, count: number): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (let i = 0; i < count; i++) {
    const [inputs, answers, target] = [INPUTS, CLASSES, CLASSES].map((width) => new Float32Array(BATCH * width)) as [Float32Array, Float32Array, Float32Array]; // prettier-ignore
    await batches.next([inputs, answers], target);
    taken.push({ inputs, target, answers });
  }
  return taken;
}

/** The teacher's probabilities at T by its own predictions. */
async function expectedAnswers(session: FakeSession, inputs: Float32Array): Promise<number[]> {
  const p = await session.predict([inputs], BATCH);
  return Array.from(p, (one, i) => {
    const row = p.subarray(i - (i % CLASSES), i - (i % CLASSES) + CLASSES);
    return one ** (1 / T) / row.reduce((sum, other) => sum + other ** (1 / T), 0);
  });
}

const near = (actual: Float32Array, expected: readonly number[]) =>
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6));

describe('batches of a taught run', () => {
  const split = blobs(SAMPLES, 1);

  it('are those of an untaught one, with the reference answering their samples', async () => {
    const { teacher, sessions } = teacherOf(split);
    expect(teacher.keeps).toBe(true);
    const plain = new ShuffledBatches(split, BATCH, SEED);
    const taken = await take(taughtBatches(split, BATCH, SEED, teacher), 12);
    for (const { inputs, target, answers } of taken) {
      const [x, y] = [new Float32Array(inputs.length), new Float32Array(target.length)];
      await plain.next([x], y);
      expect([inputs, target]).toEqual([x, y]);
      near(answers, await expectedAnswers(open(), inputs));
    }
    // One pass over the data for the whole run.
    expect(sessions.map(({ disposed }) => disposed)).toEqual([true]);
  });

  it('have the same answers if they are too large to keep', async () => {
    const kept = await take(taughtBatches(split, BATCH, SEED, teacherOf(split).teacher), 7);
    const { teacher, sessions } = teacherOf(split, { memory: 4 * SAMPLES * CLASSES - 1 });
    expect(teacher.keeps).toBe(false);
    expect(await take(taughtBatches(split, BATCH, SEED, teacher), 7)).toEqual(kept);
    expect(sessions.map(({ disposed }) => disposed)).toEqual([false]);
  });

  it('are answered as they were flipped and shifted', async () => {
    const shape = [4, 5, 1] as const;
    const images = { ...split, augmentation: { shape, flip: true, shift: 1 } };
    const { teacher } = teacherOf(images);
    expect(teacher.keeps).toBe(false);
    const taken = await take(taughtBatches(images, BATCH, SEED, teacher), 6);
    for (const { inputs, answers } of taken) near(answers, await expectedAnswers(open(), inputs));
    expect(taken[0]!.inputs).not.toEqual((await take(taughtBatches(split, BATCH, SEED, teacherOf(split).teacher), 1))[0]!.inputs); // prettier-ignore
  });

  it('go on from a checkpoint with the same answers, in another process', async () => {
    const first = taughtBatches(split, BATCH, SEED, teacherOf(split).teacher);
    await take(first, 8);
    const state = structuredClone(first.state);
    const rest = await take(first, 5);
    const resumed = taughtBatches(split, BATCH, SEED, teacherOf(split).teacher);
    resumed.restore(state);
    expect(await take(resumed, 5)).toEqual(rest);
    resumed.rewind();
    expect((await take(resumed, 8 + 5)).slice(8)).toEqual(rest);
  });

  it('have the answers of a reference that the run has trained itself', async () => {
    const { teacher } = teacherOf(split);
    const trained = open();
    const weights = (await trained.getWeights()).map((w, i) => w + Math.sin(i));
    await trained.setWeights(weights);
    teacher.reference = async () => ({ weights, statistics: await trained.getState() });
    const [{ inputs, answers }] = (await take(taughtBatches(split, BATCH, SEED, teacher), 1)) as [Taken];
    near(answers, await expectedAnswers(trained, inputs));
  });
});

describe('the loss by chance of taught training', () => {
  it('has the divergence of the mean answer from each, in its share', async () => {
    const split = blobs(SAMPLES, 1);
    const { teacher } = teacherOf(split, { chance: { all: 2, own: 1.5, weight: 0.8 } });
    const all = { size: SAMPLES, read: (start: number, count: number, [x]: readonly Float32Array[], y: Float32Array) => split.gather(Uint32Array.from({ length: count }, (_, i) => start + i), 0, count, [x!], y) }; // prettier-ignore
    const x = new Float32Array(SAMPLES * INPUTS);
    await all.read(0, SAMPLES, [x], new Float32Array(SAMPLES * CLASSES));
    const q: number[][] = [];
    const p = await open().predict([x], SAMPLES);
    for (let i = 0; i < SAMPLES; i++) {
      const row = [...p.subarray(i * CLASSES, (i + 1) * CLASSES)].map((one) => one ** (1 / T));
      const sum = row.reduce((a, b) => a + b);
      q.push(row.map((one) => one / sum));
    }
    const mean = q[0]!.map((_, k) => q.reduce((sum, row) => sum + row[k]!, 0) / SAMPLES);
    const divergence = q.reduce((sum, row) => sum + row.reduce((s, one, k) => s + one * Math.log(one / mean[k]!), 0), 0) / SAMPLES; // prettier-ignore
    await teacher.ready();
    expect(divergence).toBeGreaterThan(0.01);
    expect(teacher.chanceLoss).toBeCloseTo(2 + 0.8 * 0.5 * (T * T * divergence - 1.5), 5);
    const { teacher: unknown } = teacherOf(split);
    await unknown.ready();
    expect(unknown.chanceLoss).toBeNull();
  });
});

describe('what a plan teaches', () => {
  const of = (distill: { weight: number; temperature: number | null } | undefined, loss: 'categoricalCrossentropy' | 'huber') =>
    taughtOf({ ...(distill && { distill }) }, { loss, output: 'out' }); // prettier-ignore

  it('is nothing without distillation, or at weight 0', () => {
    expect(of(undefined, 'huber')).toBeUndefined();
    expect(of({ weight: 0, temperature: 2 }, 'categoricalCrossentropy')).toBeUndefined();
  });

  it('has a temperature for the cross-entropies alone', () => {
    expect(of({ weight: 0.3, temperature: null }, 'categoricalCrossentropy')).toEqual({ weight: 0.3, temperature: DISTILL.temperature }); // prettier-ignore
    expect(of({ weight: 0.3, temperature: null }, 'huber')).toEqual({ weight: 0.3, temperature: 1 });
    expect(() => of({ weight: 0.3, temperature: 2 }, 'huber')).toThrow('distill.temperature: only cross-entropies have one, and the loss of output "out" is huber; leave it out'); // prettier-ignore
  });
});

describe('sessions of a taught run', () => {
  it('change between taught and untaught with all their state, and only if the plan teaches', async () => {
    const opened: (readonly [size: number, taught: boolean])[] = [];
    const make = (teaches: boolean) =>
      createSessions(
        async (batchSize, taught) => {
          opened.push([batchSize, taught]);
          return open();
        },
        { session: open(), batchSize: BATCH },
        teaches,
      );
    const sessions = make(true);
    const first = await sessions.use(BATCH);
    await first.setWeights((await first.getWeights()).map((w) => w + 1));
    first.setRandomState([1, 2, 3, 4]);
    const taught = await sessions.use(BATCH, true);
    expect(await taught.getWeights()).toEqual(await first.getWeights());
    expect(taught.getRandomState()).toEqual(first.getRandomState());
    // Without a wish, it stays as it is.
    expect(await sessions.use(BATCH)).toBe(taught);
    await sessions.use(BATCH + 1);
    await sessions.use(BATCH, false);
    expect(opened).toEqual([[BATCH, true], [BATCH + 1, true], [BATCH, false]]); // prettier-ignore
    const plain = make(false);
    await plain.use(BATCH, true);
    expect(opened).toHaveLength(3);
  });
});
