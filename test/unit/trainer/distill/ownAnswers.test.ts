/** Answers of a network in the place of labels, over the fake session. */
import { describe, expect, it } from 'vitest';
import { sampleSource } from '../../../../daemon/data/batches/sampleSource.js';
import { evaluationOf } from '../../../../daemon/trainer/judge/evaluations.js';
import { answerBatch, answeredSource } from '../../../../daemon/trainer/distill/ownAnswers.js';
import { blobs, CLASSES, INPUTS } from '../fakeRun.js';
import { fakeSession } from '../fakeSession.js';

const SAMPLES = 60;
const setup = { loss: 'categoricalCrossentropy', outputShape: [CLASSES] } as const;
const session = () => fakeSession({ inputs: INPUTS, classes: CLASSES, seed: 9, batchSize: 8 });

/** The samples with targets that are not there. */
function unlabelled() {
  const split = blobs(SAMPLES, 1);
  const source = sampleSource(split);
  return {
    size: SAMPLES,
    async read(...[start, count, inputs, target]: Parameters<typeof source.read>) {
      await source.read(start, count, inputs, target);
      target.fill(NaN);
    },
  };
}

/** The class of each sample, by its largest output. */
async function classesOf(network: ReturnType<typeof session>): Promise<number[]> {
  const x = new Float32Array(SAMPLES * INPUTS);
  await sampleSource(blobs(SAMPLES, 1)).read(0, SAMPLES, [x], new Float32Array(SAMPLES * CLASSES));
  const p = await network.predict([x], SAMPLES);
  return Array.from({ length: SAMPLES }, (_, i) => {
    const row = [...p.subarray(i * CLASSES, (i + 1) * CLASSES)];
    return row.indexOf(Math.max(...row));
  });
}

describe('samples with the answers of a reference for targets', () => {
  it('give it no error, and another network the share of samples that it answers otherwise', async () => {
    const reference = session();
    const answered = await answeredSource(unlabelled(), reference, setup);
    expect((await reference.evaluate(answered)).error).toBe(0);
    const other = session();
    await other.setWeights((await other.getWeights()).map((w, i) => w + 0.3 * Math.sin(3 * i)));
    const [was, is] = [await classesOf(reference), await classesOf(other)];
    const differing = was.filter((label, i) => label !== is[i]).length;
    expect(differing).toBeGreaterThan(0);
    const result = await other.evaluate(answered);
    expect(result.error).toBeCloseTo(differing / SAMPLES, 12);
    expect(Number.isFinite(result.loss)).toBe(true);
    expect(evaluationOf(result, true)).toMatchObject({ error: result.error, target: 'reference' });
    expect(evaluationOf(result)).not.toHaveProperty('target');
  });

  it('keep the answers of the time when they were asked', async () => {
    const reference = session();
    const answered = await answeredSource(unlabelled(), reference, setup);
    const before = await classesOf(reference);
    await reference.setWeights((await reference.getWeights()).map((w) => -w));
    const [x, y] = [new Float32Array(2 * INPUTS), new Float32Array(2 * CLASSES)];
    await answered.read(40, 2, [x], y);
    const oneHot = (label: number) => Array.from({ length: CLASSES }, (_, k) => Number(k === label));
    expect([...y]).toEqual([...oneHot(before[40]!), ...oneHot(before[41]!)]);
  });

  it('are refused if the answers do not fit into memory, with the way out', async () => {
    const memory = 4 * SAMPLES * CLASSES;
    await expect(answeredSource(unlabelled(), session(), setup, memory - 1)).rejects.toThrow(
      /60 samples take .*"limit"/,
    );
    await expect(answeredSource(unlabelled(), session(), setup, memory)).resolves.toMatchObject({ size: SAMPLES });
  });

  it('are those of a batch too', async () => {
    const reference = session();
    const inputs = [new Float32Array(8 * INPUTS)];
    const target = new Float32Array(8 * CLASSES).fill(NaN);
    await unlabelled().read(0, 8, inputs, new Float32Array(8 * CLASSES));
    await answerBatch({ inputs, target }, 8, reference, { ...setup, fromLogits: false });
    const classes = (await classesOf(reference)).slice(0, 8);
    expect([...target]).toEqual(
      classes.flatMap((label) => Array.from({ length: CLASSES }, (_, k) => Number(k === label))),
    );
  });
});
