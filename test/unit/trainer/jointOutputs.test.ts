/** Which outputs a run trains along: what of the file and the data decides, what the plan becomes, and the notes. */
import { describe, expect, it } from 'vitest';
import type { OtherData } from '../../../daemon/data/dataset.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { trainingSetup } from '../../../daemon/model/setup/trainingSetup.js';
import { resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import { candidatesOf, jointChanceLoss, jointSpec, joinOutputs } from '../../../daemon/trainer/judge/jointOutputs.js';

const dense = (name: string, units: number, activation: string, from: string) => ({
  class_name: 'Dense',
  name,
  config: { name, units, activation, use_bias: true },
  inbound_nodes: [[[from, 0, 0, {}]]],
});
const model = (trainingConfig: Record<string, unknown>): LayersModel => ({
  kind: 'layers', format: 'keras-v3',
  path: 'm.keras',
  topology: {
    class_name: 'Functional',
    config: {
      name: 'm',
      layers: [
        { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 4] }, inbound_nodes: [] },
        dense('trunk', 5, 'relu', 'x'),
        dense('cls', 3, 'softmax', 'trunk'),
        dense('reg', 2, 'linear', 'trunk'),
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['cls', 0, 0], ['reg', 0, 0]],
    },
  },
  weights: [],
  trainingConfig,
  notes: [],
}); // prettier-ignore

const here: OtherData = { open: () => Promise.reject(new Error('not read here')) };
const gone: OtherData = { reason: 'the data has no targets named after it' };

function join(trainingConfig: Record<string, unknown>, found: OtherData, more: Partial<Plan> = {}, ran = false) {
  const of = model(trainingConfig);
  const layers = summarizeModel(of);
  const written = { model: 'm', data: 'd', budget: { keep: 0.5 }, output: 'cls', ...more } as Plan;
  const resolved = resolvePlan(written, {
    name: 'p',
    planPath: null,
    modelPath: WorkspacePath.parse('m'),
    dataPath: (path) => path,
    layers,
  });
  const plan = { ...resolved, dataHash: ran ? 'known' : null };
  const own = trainingSetup(of, 'cls');
  const joining = joinOutputs(plan, own, layers, candidatesOf(of, plan), new Map([['reg', found]]));
  return { joining, spec: jointSpec(joining, own) };
}
const losses = { cls: 'sparse_categorical_crossentropy', reg: 'mse' };

describe('outputs that are trained along', () => {
  it('have the losses and the weights of the file', () => {
    const { joining, spec } = join({ loss: losses, loss_weights: { cls: 0.2, reg: 3 } }, here);
    expect(joining.plan).toMatchObject({ jointly: ['reg'], tasks: [{ layers: ['trunk', 'cls', 'reg'] }] });
    expect(spec).toMatchObject({
      output: 'cls',
      lossWeight: 0.2,
      jointly: [{ output: 'reg', loss: 'meanSquaredError', classification: false, weight: 3 }],
    });
    expect(joining.measured).toEqual([]);
    expect(joining.notes.join()).toMatch(
      /2 outputs are trained together, .*"cls" \(loss weight 0\.2\), "reg" \(loss weight 3\)/,
    );
  });

  it("are trained beside the plan's own output, whatever weight the file gives that", () => {
    const { joining, spec } = join({ loss: losses, loss_weights: { cls: 0, reg: 3 } }, here);
    expect(spec).toMatchObject({ lossWeight: 1 });
    expect(joining.notes.join()).toMatch(/loss weight of "cls" is 0: as it is the output of the plan, it has 1/);
  });

  it('say what their loss leaves out', () => {
    const huber = { class_name: 'Huber', config: { delta: 2, reduction: 'sum' } };
    const { joining, spec } = join({ loss: { ...losses, reg: huber } }, here);
    expect(spec).toMatchObject({ jointly: [{ loss: 'huber', lossSettings: { delta: 2 } }] });
    expect(joining.notes.join()).toMatch(
      /output "reg": the loss is computed without what the file sets of it: reduction/,
    );
  });

  it.each([
    ['without targets', { loss: losses }, gone, {}, /no targets named after it/],
    ['without a loss', { loss: { cls: losses.cls } }, here, {}, /the file has no loss for it that is known here/],
    [
      'of a loss that is not known',
      { loss: { ...losses, reg: 'cosine_similarity' } },
      here,
      {},
      /no loss for it that is known/,
    ],
    ['of weight 0', { loss: losses, loss_weights: [1, 0] }, here, {}, /the file's loss weight of it is 0/],
    [
      'that the plan measures',
      { loss: losses },
      here,
      { otherOutputs: 'measure' as const },
      /the plan measures it only/,
    ],
  ])('are not those %s', (_, config, found, more, reason) => {
    const { joining, spec } = join(config, found, more);
    expect(joining.plan).not.toHaveProperty('jointly');
    expect(joining.plan.tasks).toMatchObject([{ layers: ['trunk', 'cls'] }]);
    expect(spec).toEqual({});
    expect(joining.measured).toEqual(['reg']);
    expect(joining.notes).toHaveLength(1);
    expect(joining.notes[0]).toMatch(reason);
  });

  it('take their bounds with them', () => {
    const layers = { reg: { floor: '50%' }, cls: { floor: '10%' } };
    const { joining } = join({ loss: losses }, gone, { budget: { keep: 0.5, layers } as Plan['budget'] });
    expect(joining.plan.tasks[0]!.budget).toEqual({ keep: 0.5, layers: { cls: { floor: '10%' } } });
    const tasks = [
      { layers: 'reg', budget: { keep: 0.5 } },
      { layers: '*', budget: { keep: 0.5 } },
    ] as Plan['tasks'];
    expect(() => join({ loss: losses }, gone, { budget: undefined, tasks })).toThrow(
      /task "reg": nothing that is trained depends on its layers/,
    );
  });

  it('must be there again when a run goes on', () => {
    expect(join({ loss: losses }, here, {}, true).joining.plan).toMatchObject({ jointly: ['reg'] });
    expect(() => join({ loss: losses }, gone, {}, true)).toThrow(
      /this run trains the output "reg", too, and cannot any more: the data has no targets/,
    );
  });
});

describe('the loss of knowing nothing', () => {
  const source = (rows: readonly number[][]) => ({
    size: rows.length,
    read(start: number, count: number, _inputs: unknown, target: Float32Array) {
      target.set(rows.slice(start, start + count).flat());
    },
  });
  const classes = { setup: { loss: 'categoricalCrossentropy' as const, outputShape: [2] }, weight: 2, source: source([[1, 0], [0, 1]]) }; // prettier-ignore
  const numbers = { setup: { loss: 'meanSquaredError' as const, outputShape: [1] }, weight: 0.5, source: source([[1], [3]]) }; // prettier-ignore

  it('is the weighted sum over the outputs; unknown where one is', async () => {
    const session = { inputShapes: [[1]], outputMask: () => Promise.resolve(null) };
    expect(await jointChanceLoss([classes, numbers], session)).toBeCloseTo(2 * Math.log(2) + 0.5 * 1, 6);
    expect(await jointChanceLoss([classes, { ...numbers, source: source([]) }], session)).toBeNull();
    // The mask of each output is its own: without the second number nothing varies.
    const masked = {
      ...session,
      outputMask: (_inputs: unknown, _count: number, output = 0) =>
        Promise.resolve(output === 1 ? Float32Array.of(1, 0) : null),
    };
    expect(await jointChanceLoss([classes, numbers], masked)).toBeCloseTo(2 * Math.log(2), 6);
  });
});
