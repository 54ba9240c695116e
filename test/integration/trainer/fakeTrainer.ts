/** A trainer process with the fake engine: everything but the mathematics is the product's. Controlled by environment variables. */
import { serveTrainer } from '../../../daemon/trainer/process/child.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import type { Assemble } from '../../../daemon/trainer/setup.js';
import { CLASSES, fakeRun, INPUTS } from '../../unit/trainer/fakeRun.js';

/** Milliseconds a step takes. */
const delay = Number(process.env['FAKE_STEP_MS'] ?? 0);
const crashAt = Number(process.env['FAKE_CRASH_AT'] ?? 0);
/** Engines on which loading the model ends the process, as a broken library would. */
const deadly = (process.env['FAKE_DEADLY'] ?? '').split(',');
const engines = ['fake', 'native-cpu', 'onnx-cpu', 'tfjs-cpu'];
let steps = 0;

const assemble: Assemble = async (plan) => {
  await new Promise((resolve) => setTimeout(resolve, Number(process.env['FAKE_LOAD_MS'] ?? 0)));
  if (process.env['FAKE_LOAD_ERROR']) throw new UserError('model-missing', process.env['FAKE_LOAD_ERROR']);
  if (!engines.includes(plan.engine)) throw new UserError('engine-unavailable', `no ${plan.engine}; there are ${engines.join()}`); // prettier-ignore
  if (deadly.includes(plan.engine)) process.kill(process.pid, 'SIGSEGV');
  const run = fakeRun(plan, {
    onStep() {
      steps += 1;
      if (steps === crashAt) throw new Error('the engine broke');
      for (const end = performance.now() + delay; performance.now() < end;);
    },
  });
  const { plan: _plan, sessions, batches, sets, tasks, layers, chanceError, chanceLoss } = run;
  // So that checkpoints are many and a kill meets every kind of moment.
  const checkpointMs = Number(process.env['FAKE_CHECKPOINT_MS'] ?? 0);
  const parts = { plan, sessions, batches, sets, tasks, layers, chanceError, chanceLoss, checkpointMs };
  const weight = (name: string, shape: number[]) => ({
    name,
    shape,
    dtype: 'float32' as const,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const dense = {
    class_name: 'Dense',
    config: {
      name: 'fc',
      units: CLASSES,
      activation: 'softmax',
      use_bias: true,
      batch_input_shape: [null, INPUTS],
      dtype: 'float32',
      trainable: true,
    },
  };
  return {
    parts,
    plan: { ...plan, modelHash: 'model', dataHash: 'data' },
    model: {
      kind: 'layers',
      format: 'tfjs-layers',
      path: 'fake',
      topology: { class_name: 'Sequential', config: { name: 'fake', layers: [dense] } },
      weights: [weight('fc/kernel', [INPUTS, CLASSES]), weight('fc/bias', [CLASSES])],
      notes: [],
    },
    inputShapes: run.session.inputShapes,
    inputScales: [],
    output: 'fc',
    others: () => Promise.resolve([]),
    engine: { ...run.session.info, id: plan.engine },
    weights: run.session.size,
    prunable: run.session.prunableSize,
    parameters: new Set(['fc/kernel', 'fc/bias']),
    notes: [],
    mapping: [],
    doubts: [],
    facts: {
      inputs: [{ name: 'x', shape: [INPUTS], columns: [], map: { scale: 1, shift: 0 } }],
      classes: null,
      outputs: [],
      spec: { loss: 'categoricalCrossentropy' },
    },
    flatWeights: ({ weights }) => ({
      weights: Float32Array.from(weights.flatMap(({ data }) => [...data])),
      statistics: new Float32Array(0),
    }),
    withWeights: (weights) =>
      new Map([
        ['fc/kernel', weights.slice(0, INPUTS * CLASSES)],
        ['fc/bias', weights.slice(INPUTS * CLASSES)],
      ]),
  };
};

serveTrainer(assemble);
