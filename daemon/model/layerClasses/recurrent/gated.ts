/** SimpleRNN, GRU and LSTM, and their cells. Gates are side by side along a weight's last axis. */
import { all, BIAS, layer, optional, or, required, SEED, weights, type Arguments } from '../../keras3/arguments.js';
import { activation, flag, positive, share } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import type { Dim, Shape } from '../../layers/shape.js';
import type { Refuse } from '../../layers/refuse.js';
import type { HardSigmoid, LayerClass, Left, WeightPart } from '../layerClass.js';
import { kernel, product, usesBias, vector } from '../rules/weights.js';
import { gruStep, lstmStep, simpleStep, type CellStep } from './cellSteps.js';
import { unrolled, type Cell } from './unrolled.js';

/** For a GRU or its cell; absent means false, as in TensorFlow.js and in Keras before 2.1. */
export const isResetAfter = (config: Json): boolean => field(config, 'reset_after') === true;

/** Each weight is used once per time step. */
function gated(gates: number, config: Json, features: Dim, steps: number): WeightPart[] {
  const units = numberAt(config, 'units');
  const width = product(units, gates);
  // The product with the state has a bias of its own: the second row.
  const bias = isResetAfter(config) ? vector('bias', 2, width) : vector('bias', width);
  return [
    kernel('kernel', [features, width], steps),
    kernel('recurrent_kernel', [units, width], steps),
    ...(usesBias(config) ? [bias] : []),
  ];
}

export const GATED: Arguments = {
  activation: optional(activation),
  ...BIAS,
  ...weights('kernel', 'recurrent', 'bias'),
  dropout: optional(share),
  recurrent_dropout: optional(share),
};
/** TensorFlow.js's default; hardSigmoid.ts has converted it to that of Keras 3. */
export const GATES: Arguments = { recurrent_activation: or(activation, 'hard_sigmoid') };
export const FORGET: Arguments = { unit_forget_bias: optional(flag) };
/** Bidirectional writes the last one for the wrapped layers. */
export const SEQUENCE = all(['return_sequences', 'return_state', 'go_backwards', 'stateful', 'unroll', 'zero_output_for_mask'], flag); // prettier-ignore
const UNITS: Arguments = { units: required(positive) };
const RESET: Arguments = { reset_after: or(flag, false) };

/** The same activation is applied to the state of an LSTM, which no weight scales. */
export const hardLstmGates = ({ activation, gates }: HardSigmoid, refuse: Refuse): boolean[] => {
  if (activation)
    refuse('has hard_sigmoid as its activation, which Keras 3 computes differently; use sigmoid and train again');
  return [gates, gates, false, gates];
};

interface Kind {
  readonly gates: number;
  /** Number of states, each shaped like the last output. */
  readonly states: number;
  readonly own: Arguments;
  readonly hardGates?: LayerClass['hardGates'];
  readonly step: CellStep;
  /** TensorFlow.js computes an orthogonal matrix, and ones for the forget gates, even if they are replaced. */
  readonly initial?: Json;
}

const KINDS = {
  SimpleRNN: { gates: 1, states: 1, own: {}, step: simpleStep },
  GRU: {
    gates: 3,
    states: 1,
    own: { ...GATES, ...RESET },
    hardGates: ({ activation, gates }) => [gates, gates, activation],
    step: gruStep(isResetAfter),
  },
  LSTM: {
    gates: 4,
    states: 2,
    own: { ...GATES, ...FORGET },
    hardGates: hardLstmGates,
    step: lstmStep,
    initial: { unit_forget_bias: false },
  },
} satisfies Record<string, Kind>;

/** The state of a layer is as wide as its recurrent kernel is high. */
function resizeUnits(config: Json, { weights: own }: Left): void {
  config['units'] = own['recurrent_kernel']![0]!;
}

const common = ({ hardGates, initial }: Kind): LayerClass => ({
  recurrent: true,
  initial: { kernel_initializer: {}, recurrent_initializer: {}, ...initial },
  ...(hardGates && { hardGates }),
});

const layerOf = (kind: Kind): LayerClass => ({
  ...common(kind),
  takesStates: true,
  // [sequence or last output, ...states].
  shape(config, [input]) {
    if (!input || input.length !== 2) return [null];
    const units = numberAt(config, 'units');
    const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, units] : [units];
    return field(config, 'return_state') === true ? [output, ...new Array<Shape>(kind.states).fill([units])] : [output];
  },
  weights: (config, input) => gated(kind.gates, config, input?.at(-1) ?? null, input?.[0] ?? 1),
  forward(op, config, inputs, weights, { masks: [mask = null] }) {
    const units = numberAt(config, 'units')!;
    const sizes = new Array<number>(kind.states).fill(units);
    const step: Cell['step'] = (x, before) => {
      const states = kind.step(op, config, x, before, weights);
      return states && { output: states[0]!, states };
    };
    return unrolled(op, config, inputs, mask, { units, sizes, step });
  },
  resize: resizeUnits,
  mask: 'steps',
  maskInTfjs: 'steps',
  keras: layer({ ...UNITS, ...GATED, ...kind.own, ...SEQUENCE, ...SEED }),
  groups: () => ['cell'],
});

/** A cell gets the input of a sequence, [steps, features]: its weights are those of its RNN layer. */
const cellOf = (kind: Kind): LayerClass & { readonly states: number; readonly step: CellStep } => ({
  ...common(kind),
  weights: (config, input) => gated(kind.gates, config, input?.at(-1) ?? null, input?.[0] ?? 1),
  resize: resizeUnits,
  keras: layer({ ...UNITS, ...GATED, ...kind.own, ...SEED }),
  states: kind.states,
  step: kind.step,
});

const { SimpleRNN, GRU, LSTM } = KINDS;

export const CELLS = {
  SimpleRNNCell: cellOf(SimpleRNN),
  GRUCell: cellOf(GRU),
  LSTMCell: cellOf(LSTM),
} satisfies Record<string, LayerClass>;

export const GATED_LAYERS = {
  SimpleRNN: layerOf(SimpleRNN),
  GRU: { ...layerOf(GRU), aliases: ['GRUV2'] },
  LSTM: { ...layerOf(LSTM), aliases: ['LSTMV2'] },
} satisfies Record<string, LayerClass>;
