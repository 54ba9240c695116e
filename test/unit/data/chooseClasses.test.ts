/** The order of the classes, chosen by what a trained model answers. */
import { afterAll, describe, expect, it } from 'vitest';
import { chooseMapping, type Reference } from '../../../daemon/data/mapping/chooseMapping.js';
import type { DataRequirements, Dataset } from '../../../daemon/data/dataset.js';
import { identityIndices } from '../../../daemon/data/batches/sampleStore.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { referenceOf } from '../../../daemon/trainer/dataMapping.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { dataConfig, makeWorkspace, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const samples = ({ train }: Dataset) => ({ split: train, indices: identityIndices(train.size) });
const here = { workspace: workspace.folder, seed: 0 } as const;

const outputs = (outputShape: number[], classification = true): DataRequirements => ({
  inputShapes: [[1]],
  outputShape,
  classification,
});

let tables = 0;
/** A table of one input, the position of the label in `labels`, and the label. */
async function table(labels: readonly string[], requirements: DataRequirements, more: Partial<ResolvedData> = {}) {
  const name = `table${tables++}.csv`;
  const rows = Array.from({ length: 100 }, (_, i) => `${i % labels.length},${labels[i % labels.length]}`);
  workspace.write(name, ['x,label', ...rows].join('\n'));
  return openDataset(dataConfig(name, more), requirements, here);
}

/** Answers input i with class classes[i], sure to 90%. */
const answering = (classes: readonly number[], outputCount: number): Reference =>
  referenceOf(
    {
      outputShape: [outputCount],
      outputMask: async () => null,
      predict: async ([inputs], count) =>
        Float32Array.from({ length: outputCount * count }, (_, at) => {
          const answer = classes[inputs![Math.floor(at / outputCount)]!]!;
          const right = outputCount === 1 ? answer === 1 : at % outputCount === answer;
          return right ? 0.9 : 0.1 / Math.max(1, outputCount - 1);
        }),
    },
    { loss: outputCount === 1 ? 'binaryCrossentropy' : 'categoricalCrossentropy' },
    ({ train }) => train,
  );

describe('classes "auto"', () => {
  const animals = ['dog', 'Cat', 'ant 10', 'ant 9'];
  it.each<[string, string[], DataRequirements, number[], string, string[]]>([
    ['sorted as text', animals, outputs([4]), [3, 0, 1, 2], 'text', ['Cat', 'ant 10', 'ant 9', 'dog']],
    ['numbers by value', animals, outputs([4]), [3, 2, 1, 0], 'value', ['ant 9', 'ant 10', 'Cat', 'dog']],
    ['first appearance', animals, outputs([4]), [0, 1, 2, 3], 'appearance', animals],
    ['two names, reversed', ['no', 'yes'], outputs([1]), [1, 0], 'reversed', ['yes', 'no']],
    ['two names, as sorted', ['no', 'yes'], outputs([1]), [0, 1], 'text', ['no', 'yes']],
    ['-1 and 1', ['-1', '1'], outputs([1]), [0, 1], 'value', ['-1', '1']],
    ['0 and 1, reversed', ['0', '1'], outputs([1]), [1, 0], 'reversed', ['1', '0']],
    ['numbers as they are', ['2', '0', '1'], outputs([3]), [2, 0, 1], 'stored', ['0', '1', '2']],
    ['numbers in order of the file', ['2', '0', '1'], outputs([3]), [0, 1, 2], 'appearance', ['2', '0', '1']],
    ['from 1, where both fit', ['1', '2', '3'], outputs([4]), [0, 1, 2], 'from-one', ['1', '2', '3', '4']],
    ['as stored, where both fit', ['1', '2', '3'], outputs([4]), [1, 2, 3], 'stored', ['0', '1', '2', '3']],
  ])('finds %s', async (_, labels, requirements, answers, order, classes) => {
    const dataset = await table(labels, requirements);
    const { outputShape } = requirements;
    const choice = await chooseMapping(dataset, { scale: false }, answering(answers, outputShape[0]!));
    expect(choice.dataset.mapping.encoding.order).toBe(order);
    expect(choice.dataset.classes).toEqual(classes);
    const { inputs, targets } = await readAll(choice.dataset, choice.dataset.train);
    const classOf = (target: number[]) => (outputShape[0] === 1 ? target[0] : target.indexOf(1));
    expect(targets.map(classOf)).toEqual(inputs.map(([x]) => answers[x!]));
    const figures = choice.encodings.map(({ loss }) => loss);
    expect(figures[0]).toBeCloseTo(-Math.log(0.9), 5);
    expect(figures).toEqual([...figures].sort((a, b) => a - b));
    for (const { encoding, loss } of choice.encodings)
      expect(choice.notes[0]).toContain(`${encoding.text}: ${loss.toPrecision(3)}`);
    // The same order is the only one if the plan names it.
    const named = await table(labels, requirements, { classes: order as 'text' });
    expect(named.encodings.map((one) => one.order)).toEqual([order]);
    expect(named.classes).toEqual(classes);
  });

  it('leaves out what a mask leaves out, of which there may be more', async () => {
    const dataset = await table(['no', 'yes', 'no', 'yes', 'no', 'yes'], outputs([1]));
    // Of the inputs from 2 on, which are padding, the answers are those of the usual order.
    const reference = { ...answering([1, 0, 0, 1, 0, 1], 1) };
    const asked = (from: number): Reference => ({
      ...reference,
      outputMask: async ([inputs], count) => inputs!.slice(0, count).map((x) => (x < from ? 1 : 0)),
    });
    const orderOf = async (from: number) => {
      const { dataset: chosen, encodings } = await chooseMapping(dataset, { scale: false }, asked(from));
      return { order: chosen.mapping.encoding.order, loss: encodings[0]!.loss };
    };
    expect((await orderOf(6)).order).toBe('text');
    const { order, loss } = await orderOf(2);
    expect(order).toBe('reversed');
    expect(loss).toBeCloseTo(-Math.log(0.9), 5);
  });

  it('targets of a regression that are two numbers: as stored, or the other usual pair', async () => {
    const mse = referenceOf(
      {
        outputShape: [1],
        outputMask: async () => null,
        predict: async ([inputs], count) => inputs!.slice(0, count).map((x) => (x ? 0.9 : -0.9)),
      },
      { loss: 'meanSquaredError' },
      ({ train }) => train,
    );
    const dataset = await table(['0', '1'], outputs([1], false));
    const choice = await chooseMapping(dataset, { scale: false }, mse);
    expect(choice.dataset.mapping.encoding.order).toBe('signs');
    const { inputs, targets } = await readAll(choice.dataset, choice.dataset.train);
    expect(targets.flat()).toEqual(inputs.map(([x]) => 2 * x! - 1));
    const signed = await table(['-1', '1'], outputs([1], false), { classes: 'bits' });
    expect((await readAll(signed, signed.train)).targets.flat().every((y) => y === 0 || y === 1)).toBe(true);
    expect((await table(['0', '1', '2'], outputs([1], false))).encodings.length).toBe(1);
  });

  it('targets of a regression stay as stored if the reference explains more of their variance so, and if it explains nothing', async () => {
    // 9 of 10 are 1. Answers near 1 have a lower squared error on 0 and 1 whatever the model was trained on.
    workspace.write('rare.csv', ['x,label', ...Array.from({ length: 100 }, (_, i) => `${i % 10},${i % 10 ? 1 : -1}`)].join('\n')); // prettier-ignore
    const dataset = await openDataset(dataConfig('rare.csv'), outputs([1], false), here);
    const answers = async (low: number) => {
      const session = { outputShape: [1], outputMask: async () => null, predict: async ([x]: readonly Float32Array[], count: number) => x!.slice(0, count).map((v) => (v ? 0.95 : low)) }; // prettier-ignore
      const spec = { loss: 'meanSquaredError', classification: false } as const;
      const choice = await chooseMapping(
        dataset,
        { scale: false },
        referenceOf(session, spec, ({ train }) => train),
      );
      return [choice.dataset.mapping.encoding.order, choice.notes[0]];
    };
    // 1 - R^2 on -1 and 1: (0.9 * 0.05^2 + 0.1 * 0.5^2) / 0.36 = 7.57%; on 0 and 1: (0.9 * 0.05^2 + 0.1 * 0.5^2) / 0.09 = 30.3%.
    expect(await answers(-0.5)).toEqual(['stored', expect.stringMatching(/^Targets read by the reference's error: as stored \(as stored: 7\.\d+%; -1 and 1 as 0 and 1: 30\.\d+%\)/)]); // prettier-ignore
    expect(await answers(0.1)).toEqual(['bits', expect.stringContaining('-1 and 1 as 0 and 1')]);
    expect(await answers(1.5)).toEqual(['stored', expect.stringContaining('no better than chance')]);
  });

  it.each(['binaryCrossentropy', 'meanSquaredError'] as const)(
    'a classifier under %s that favours the common class by chance has no say in the order of the labels',
    async (loss) => {
      // 9 of 10 are 0; answers near 0.76 whatever the input fit the other order better than 1/2 does, as a constant may.
      workspace.write('common.csv', ['x,label', ...Array.from({ length: 100 }, (_, i) => `${i % 10},${i % 10 === 9 ? 1 : 0}`)].join('\n')); // prettier-ignore
      const dataset = await openDataset(dataConfig('common.csv'), outputs([1]), here);
      const order = async (answer: (x: number) => number, fromLogits: boolean) => {
        const given = fromLogits ? (x: number) => Math.log(answer(x) / (1 - answer(x))) : answer;
        const session = { outputShape: [1], outputMask: async () => null, predict: async ([x]: readonly Float32Array[], count: number) => x!.slice(0, count).map(given) }; // prettier-ignore
        const reference = referenceOf(session, { loss, classification: true, fromLogits }, ({ train }) => train);
        return (await chooseMapping(dataset, { scale: false }, reference)).dataset.mapping.encoding.order;
      };
      for (const fromLogits of loss === 'binaryCrossentropy' ? [false, true] : [false]) {
        expect(await order((x) => 0.75 + 0.01 * (x % 3), fromLogits)).toBe('stored');
        expect(await order((x) => (x === 9 ? 0.2 : 0.9), fromLogits)).toBe('reversed');
        expect(await order((x) => (x === 9 ? 0.9 : 0.2), fromLogits)).toBe('stored');
      }
    },
  );

  it('keeps the usual order if no other is clearly better', async () => {
    const dataset = await table(['b', 'a'], outputs([2]));
    // The second encoding, the order of the file, is better by 0.001 and 1 on average, with a deviation of 1.
    const reference = (gain: number, chance: number): Reference => {
      const noise = createRandom(3);
      return {
        chance,
        form: { kind: 'numbers', scale: 'neither', width: 2 },
        samples,
        outputMask: async () => null,
        predict: async (_, count) => new Float32Array(2 * count),
        losses: (_, count, targets) =>
          targets.map((__, which) => Array.from({ length: count }, () => 2 - which * gain + noise.normal())),
      };
    };
    const chosen = async (...args: Parameters<typeof reference>) => {
      const choice = await chooseMapping(dataset, { scale: false }, reference(...args));
      return [choice.dataset.mapping.encoding.order, choice.notes[0]!.includes('no better than chance')];
    };
    expect(dataset.encodings.map(({ order }) => order)).toEqual(['text', 'appearance']);
    expect(await chosen(1, 5)).toEqual(['appearance', false]);
    expect((await chosen(0.001, 5))[0]).toBe('text');
    // The model is no better than chance, so its answers do not decide.
    expect(await chosen(1, 0.5)).toEqual(['text', true]);
  });

  it('reports an order that no candidate has, as a list that the plan takes', async () => {
    const labels = ['low', 'medium', 'high', 'top'];
    const dataset = await table(labels, outputs([4]));
    // The model's classes: top, low, high, medium.
    const answers = [1, 3, 2, 0];
    const choice = await chooseMapping(dataset, { scale: false }, answering(answers, 4));
    expect(choice.notes[1]).toMatch(/answers as if its classes were "top", "low", "high", "medium" \(loss 0\.105\)/);
    const listed = await table(labels, outputs([4]), { classes: ['top', 'low', 'high', 'medium'] });
    const { inputs, targets } = await readAll(listed, listed.train);
    expect(targets.map((t) => t.indexOf(1))).toEqual(inputs.map(([x]) => answers[x!]));
  });

  it('reports that order also if the data has one usual order only', async () => {
    const dataset = await table(['a', 'b', 'c'], outputs([3]));
    expect(dataset.encodings.length).toBe(1);
    const { notes } = await chooseMapping(dataset, { scale: false }, answering([2, 0, 1], 3));
    expect(notes).toEqual([expect.stringContaining('classes were "b", "c", "a"')]);
    expect((await chooseMapping(dataset, { scale: false }, answering([0, 1, 2], 3))).notes).toEqual([]);
  });

  it('data that numbers its classes needs no choice and no note', async () => {
    const dataset = await table(['0', '1'], outputs([2]), { labels: ['label'], inputs: ['x'] });
    expect(dataset.encodings.length).toBeGreaterThan(1);
    workspace.write('hot.csv', 'x,p,q\n1,0,1\n2,1,0\n3,1,0\n4,0,1\n5,1,0\n');
    const hot = await openDataset(dataConfig('hot.csv', { labels: ['p', 'q'] }), outputs([2]), here);
    expect(hot.encodings.length).toBe(1);
    const choice = await chooseMapping(hot, { scale: false }, answering([0, 0, 0, 0, 0, 0], 2));
    expect(choice.notes).toEqual([]);
  });
});
