/** A run context around the fake session: two Gaussian blobs per class, few of whose inputs matter. */
import type { Split } from '../../../daemon/data/dataset.js';
import { ShuffledBatches } from '../../../daemon/data/batches/batches.js';
import { sampleSource } from '../../../daemon/data/batches/sampleSource.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayerSummary } from '../../../daemon/model/model.js';
import type { RunEvent, UntimedRunEvent } from '../../../daemon/protocol/events.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Budget } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { createControl } from '../../../daemon/trainer/process/control.js';
import type { Batches, Run } from '../../../daemon/trainer/run.js';
import { createSessions } from '../../../daemon/trainer/sessions.js';
import type { RunState } from '../../../daemon/trainer/state.js';
import { createTasks, prunedLayers } from '../../../daemon/trainer/tasks.js';
import { fakeSession, type FakeOptions, type FakeSession } from './fakeSession.js';

export const INPUTS = 20;
export const CLASSES = 4;

export function blobs(size: number, seed: number): Split {
  const random = createRandom(seed, 9);
  const centres = createRandom(1234, 9);
  const mean = Float32Array.from({ length: INPUTS * CLASSES }, (_, i) => (i % INPUTS < 6 ? 2 * centres.normal() : 0));
  const x = new Float32Array(size * INPUTS);
  const labels = Uint8Array.from({ length: size }, () => random.below(CLASSES));
  for (let n = 0; n < size; n++) {
    for (let i = 0; i < INPUTS; i++) x[n * INPUTS + i] = mean[labels[n]! * INPUTS + i]! + random.normal();
  }
  return {
    size,
    gather(indices, from, count, [inputs], target) {
      target.fill(0, 0, count * CLASSES);
      for (let k = 0; k < count; k++) {
        const n = indices[from + k]!;
        inputs!.set(x.subarray(n * INPUTS, (n + 1) * INPUTS), k * INPUTS);
        target[k * CLASSES + labels[n]!] = 1;
      }
    },
  };
}

const settings = {
  batchSize: 16,
  learningRate: 0.1,
  decay: 0.98,
  decayMode: 'iteration',
  learningRateSchedule: 'exponential',
  warmup: 0,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
} as const;

export const LAYERS: LayerSummary[] = [
  {
    name: 'fc',
    className: 'Dense',
    outputShape: [CLASSES],
    weights: [
      { name: 'fc/kernel', shape: [INPUTS, CLASSES], size: INPUTS * CLASSES, prunable: true, trainable: true },
      { name: 'fc/bias', shape: [CLASSES], size: CLASSES, prunable: false, trainable: true },
    ],
    params: INPUTS * CLASSES + CLASSES,
    prunable: INPUTS * CLASSES,
    flops: 2 * INPUTS * CLASSES,
    flopsPerWeight: 2,
  },
];

export const PLAN: ResolvedPlan = {
  name: 'blobs',
  planPath: WorkspacePath.parse('blobs.prune.json'),
  model: { architecture: 'lenet300' },
  data: {
    source: 'mnist',
    format: null,
    inputs: null,
    labels: null,
    test: null,
    validation: 0,
    limit: null,
    scale: 'unit',
    mean: 'none',
    augment: { flip: false, shift: 0 },
    classes: 'auto',
    classWeights: null,
  },
  tasks: [{ name: 'all', layers: ['fc'], budget: { weights: 12 } }],
  method: 'lc',
  schedule: {
    mu0: 1e-2,
    a: 1.6,
    iterations: 12,
    multipliers: 'AL',
    epochs: 2,
    firstEpochs: 3,
    tolerance: 1e-3,
    stableIterations: 2,
  },
  training: settings,
  retrain: { ...settings, decayMode: 'epoch', decay: 0.9, epochs: 4 },
  reference: { ...settings, decayMode: 'epoch', epochs: 5 },
  output: null,
  unfreeze: [],
  engine: 'fake',
  seed: 7,
  modelHash: null,
  dataHash: null,
};

export interface FakeRun extends Run {
  readonly events: UntimedRunEvent[];
  readonly saved: RunState[];
  readonly kept: Float32Array[];
  /** Retrained weights of a path's points. */
  readonly points: ReadonlyMap<number, Float32Array>;
  readonly session: FakeSession;
  /** Events of one kind. */
  of<E extends RunEvent['event']>(event: E): Extract<UntimedRunEvent, { event: E }>[];
}

export function fakeRun(
  plan: ResolvedPlan,
  options: Partial<FakeOptions> & { now?: () => number; pathStates?: Map<string, RunState> } = {},
): FakeRun {
  const open = (batchSize: number) =>
    fakeSession({ inputs: INPUTS, classes: CLASSES, seed: plan.seed, ...options, batchSize });
  const session = open(plan.reference.batchSize);
  const train = blobs(160, 1);
  const events: UntimedRunEvent[] = [];
  const saved: RunState[] = [];
  const kept: Float32Array[] = [];
  const points = new Map<number, Float32Array>();
  const pathStates = options.pathStates ?? new Map<string, RunState>();
  const streams = new Map<string, Batches>();
  return {
    plan,
    events,
    saved,
    kept,
    points,
    session,
    of: (event) => events.filter((one) => one.event === event) as never,
    sessions: createSessions(async (batchSize) => open(batchSize), { session, batchSize: plan.reference.batchSize }),
    batches(batchSize, phase) {
      const key = `${phase}${batchSize}`;
      if (!streams.has(key)) streams.set(key, new ShuffledBatches(train, batchSize, plan.seed) as Batches);
      return streams.get(key)!;
    },
    sets: { train: sampleSource(train), validation: null, test: sampleSource(blobs(200, 2)) },
    tasks: (budget: Budget | null) => createTasks(plan, LAYERS, session.parameters, budget),
    layers: prunedLayers(plan, LAYERS, session.parameters),
    chanceError: 0.75,
    chanceLoss: Math.log(CLASSES),
    control: createControl(),
    checkpointMs: 20_000,
    clock: options.now ?? (() => performance.now()),
    log: (event) => void events.push(structuredClone(event)),
    logStart: (resumed) =>
      void events.push({
        event: 'start',
        run: 'r',
        plan: plan.name,
        method: plan.method,
        engine: 'fake',
        device: 'test',
        seed: plan.seed,
        weights: session.size,
        prunable: session.prunableSize,
        kappa: 12,
        totalSteps: 1,
        resumed,
      }),
    save: async (state) => void saved.push(structuredClone(state)),
    keepReference: async (weights) => void kept.push(weights),
    keepPoint: async (point, weights) => {
      points.set(point, weights.slice());
      return null;
    },
    savePathState: async (name, state) => void pathStates.set(name, structuredClone(state)),
    loadPathState: async (name) => structuredClone(pathStates.get(name)!),
  };
}
