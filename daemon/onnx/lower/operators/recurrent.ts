import { type Node, sameShape } from '../../../network/ir.js';
import type { Call, Operator } from '../call.js';
import { type NumberTensor, splatOf } from '../values/numberTensor.js';
import { dimsOf } from '../values/value.js';
import { permutedLayout } from '../values/weightLayout.js';
import { gateActivation } from './gateActivation.js';
import { lying } from './moving.js';

/** Recurrent units, computed step by step: forwards, backwards or both. The kernels hold the gates side by side: [in, gates * units]. */

/** One direction of a unit. */
export interface Cell {
  readonly units: number;
  /** Functions of the gates, from `activations`. */
  readonly activations: readonly ((x: Node) => Node)[];
  /** [units, gates * units]. */
  readonly recurrent: Node;
  /** Biases of the input's and of the state's part, [gates * units] each. */
  readonly inputBias: Node | undefined;
  readonly stateBias: Node | undefined;
  /** Peephole weights of an LSTM from its cell to its gates, [3 * units]. */
  readonly peepholes: Node | undefined;
}

/** Returns the next states; the first is the output. @param given the input's part of the gates, [batch, gates * units] */
type Step = (cell: Cell, given: Node, states: readonly Node[]) => Node[];

/** The properties of a kind of unit. */
interface Kind {
  readonly gates: number;
  readonly states: number;
  readonly activations: readonly string[];
  step(call: Call): Step;
}

const part = (call: Call, x: Node, axis: number, from: number, length: number): Node =>
  call.lowering.add('Slice', [x], x.shape.with(axis, length), { begin: x.shape.map((_, i) => (i === axis ? from : 0)) }); // prettier-ignore

/** Entry k of the first axis. */
const entry = (call: Call, x: Node, k: number): Node => call.lowering.reshape(part(call, x, 0, k, 1), x.shape.slice(1));

/** A tensor with an entry per direction, [directions, ...rest], read with its last two axes swapped. */
function kernelOf(call: Call, index: number): Node {
  return call.lowering.kernel(call.input(index), permutedLayout(call.shapeOfRank(index, 3), [0, 2, 1]));
}

/** Initial states, [directions, batch, units]; undefined stands for zeros. */
function initial(
  call: Call,
  index: number,
  layout: number,
  [directions, batch, units]: readonly [number, number, number],
): ((direction: number) => Node) | undefined {
  const value = call.optional(index);
  if (!value) return undefined;
  const { lowering } = call;
  const given = call.shapeOfRank(index, 3);
  if (given[layout === 1 ? 1 : 0] !== directions || given[2] !== units) throw call.refusal(`starts with states of [${given}] for ${directions} direction(s) of ${units} units`); // prettier-ignore
  if (value.kind === 'numbers' && splatOf(value) !== undefined)
    return () => lowering.builder.constant(splatOf(value)!, [batch, units]);
  const whole = layout === 1 ? lowering.transpose(lowering.natural(value), [1, 0, 2]) : lowering.natural(value);
  if (whole.shape[1] !== batch) throw call.refusal(`starts with states of ${whole.shape[1]} samples; the batch has ${batch}`); // prettier-ignore
  return (direction) => entry(call, whole, direction);
}

/** Most steps: each adds a few operations to the graph. */
const mostSteps = 2000;

/** Checks that all samples have all steps: otherwise padding would count. */
function refuseLengths(call: Call, steps: number): void {
  const lengths = call.optional(4);
  if (!lengths) return;
  const known: NumberTensor | undefined = call.lowering.known(lengths);
  if (!known?.data.every((n) => n === steps)) throw call.refusal('has sequences of several lengths (sequence_lens), which has no rule'); // prettier-ignore
}

function recurrent(kind: Kind): Operator {
  return (call) => {
    const { lowering } = call;
    const layout = call.int('layout', 0);
    if (call.rank(0) !== 3) throw call.refusal(`reads an input of ${call.rank(0)} axes, not 3`);
    const { node: x, order } = lying(call, call.input(0));
    const timeAxis = layout === 1 ? 1 : 0;
    // Features are the last axis; batch and time keep their order.
    const inputs = order[2] === 2 ? x : lowering.natural(call.input(0));
    const time = (order[2] === 2 ? order : [0, 1, 2]).indexOf(timeAxis);
    const [batch, steps, features] = [inputs.shape[1 - time]!, inputs.shape[time]!, inputs.shape[2]!];
    if (steps > mostSteps) throw call.refusal(`has ${steps} steps; at most ${mostSteps} are computed, one behind the other`); // prettier-ignore
    refuseLengths(call, steps);
    const [kernel, state] = [kernelOf(call, 1), kernelOf(call, 2)];
    const direction = call.text('direction', 'forward');
    if (!['forward', 'reverse', 'bidirectional'].includes(direction)) throw call.refusal(`goes in the direction "${direction}"`); // prettier-ignore
    const directions = direction === 'bidirectional' ? 2 : 1;
    const units = state.shape[1]!;
    const width = kind.gates * units;
    const fits = sameShape(kernel.shape, [directions, features, width]) && sameShape(state.shape, [directions, units, width]); // prettier-ignore
    if (!fits) throw call.refusal(`has kernels of [${kernel.shape}] and [${state.shape}], which do not fit ${directions} direction(s) of ${features} features`); // prettier-ignore
    const names = call.texts('activations') ?? Array.from({ length: directions }, () => kind.activations).flat();
    if (names.length !== directions * kind.activations.length) throw call.refusal(`has ${names.length} activations, not ${directions * kind.activations.length}`); // prettier-ignore
    if (call.int('hidden_size', units) !== units) throw call.refusal(`has kernels of ${units} units, not of ${call.int('hidden_size', units)}`); // prettier-ignore
    const shaped = (index: number, ...dims: number[]) => {
      if (call.optional(index) && !sameShape(dimsOf(call.input(index)), dims)) throw call.refusal(`has an input ${index} of [${dimsOf(call.input(index))}], not [${dims}]`); // prettier-ignore
      return call.optional(index);
    };
    const vectors = [shaped(3, directions, 2 * width), shaped(7, directions, 3 * units)];
    const [bias, peepholes] = vectors.map((value) => value && lowering.natural(value));
    const starts = Array.from({ length: kind.states }, (_, i) =>
      initial(call, 5 + i, layout, [directions, batch, units]),
    );
    const step = kind.step(call);
    const own = Array.from({ length: directions }, (_, d) => {
      const each = kind.activations.length;
      const row = bias && entry(call, bias, d);
      const cell: Cell = {
        units,
        activations: names.slice(d * each, (d + 1) * each).map((name, i) => gateActivation(call, name, d * each + i)),
        recurrent: entry(call, state, d),
        inputBias: row && part(call, row, 0, 0, width),
        stateBias: row && part(call, row, 0, width, width),
        peepholes: peepholes && entry(call, peepholes, d),
      };
      const rows = lowering.reshape(inputs, [batch * steps, features]);
      const product = lowering.matMul(rows, entry(call, kernel, d));
      const gates = lowering.reshape(product, inputs.shape.with(2, width));
      let states = starts.map((start) => start?.(d) ?? lowering.builder.constant(0, [batch, units]));
      const found: Node[] = [];
      const backwards = direction === 'reverse' || d === 1;
      for (let t = 0; t < steps; t++) {
        const at = backwards ? steps - 1 - t : t;
        const given = lowering.reshape(part(call, gates, time, at, 1), [batch, width]);
        states = step(cell, given, states);
        found[at] = states[0]!;
      }
      const columns = found.map((y) => lowering.reshape(y, [batch, 1, 1, units]));
      const sequence = columns.length === 1 ? columns[0]! : lowering.add('Concat', columns, [batch, steps, 1, units], { axis: 1 }); // prettier-ignore
      return { sequence, states };
    });
    const join = (nodes: readonly Node[], axis: number) =>
      nodes.length === 1
        ? nodes[0]!
        : lowering.add('Concat', nodes, nodes[0]!.shape.with(axis, nodes.length), { axis });
    // Nodes are [batch, steps, directions, units] and [batch, directions, units]; the file has another order of axes.
    const sequence = join(own.map((one) => one.sequence), 2); // prettier-ignore
    const y = lowering.value(sequence, layout === 1 ? [0, 1, 2, 3] : [2, 0, 1, 3]);
    const last = naturalStates(kind.states).map((i) => {
      const both = join(own.map(({ states }) => lowering.reshape(states[i]!, [batch, 1, units])), 1); // prettier-ignore
      return lowering.value(both, layout === 1 ? [0, 1, 2] : [1, 0, 2]);
    });
    return [y, ...last];
  };
}

const naturalStates = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The arithmetic of one step, on [batch, units]. */
function arithmetic(call: Call) {
  const { lowering } = call;
  const limit = call.float('clip', undefined);
  const two = (op: 'Add' | 'Sub' | 'Multiply') => (a: Node, b: Node) => lowering.add(op, [a, b], a.shape);
  const [add, sub, mul] = [two('Add'), two('Sub'), two('Multiply')];
  return {
    add,
    mul,
    /** 1 - x. */
    rest: (x: Node) => lowering.add('Sub', [lowering.scalar(1), x], x.shape),
    sub,
    times: (h: Node, kernel: Node) => lowering.matMul(h, kernel),
    biased: (x: Node, bias: Node | undefined) => (bias ? add(x, bias) : x),
    gate: (x: Node, k: number, units: number) => part(call, x, x.shape.length - 1, k * units, units),
    clipped: (x: Node) => (limit === undefined ? x : lowering.add('ClipByValue', [x], x.shape, { min: -limit, max: limit })), // prettier-ignore
  };
}

/** h' = f(x W + h R + b). */
const rnn: Kind = {
  gates: 1,
  states: 1,
  activations: ['Tanh'],
  step(call) {
    const { add, times, biased, clipped } = arithmetic(call);
    return (cell, given, [h]) => {
      const sum = add(biased(given, cell.inputBias), biased(times(h!, cell.recurrent), cell.stateBias));
      return [cell.activations[0]!(clipped(sum))];
    };
  },
};

/** Gates z, r, candidate. h' = (1 - z) c + z h. With linear_before_reset, r is applied after the product with the state. */
const gru: Kind = {
  gates: 3,
  states: 1,
  activations: ['Sigmoid', 'Tanh'],
  step(call) {
    const { add, mul, rest, times, biased, gate, clipped } = arithmetic(call);
    const after = call.flag('linear_before_reset');
    return (cell, given, [h]) => {
      const { units, activations, recurrent: kernel } = cell;
      const own = biased(given, cell.inputBias);
      const columns = (k: number, n: number) => part(call, kernel, 1, k * units, n * units);
      const biasOf = (k: number, n: number) => cell.stateBias && part(call, cell.stateBias, 0, k * units, n * units);
      const state = after ? biased(times(h!, kernel), cell.stateBias) : biased(times(h!, columns(0, 2)), biasOf(0, 2));
      const [z, r] = [0, 1].map((k) => activations[0]!(clipped(add(gate(own, k, units), gate(state, k, units))))) as [Node, Node]; // prettier-ignore
      const hidden = after ? mul(r, gate(state, 2, units)) : biased(times(mul(r, h!), columns(2, 1)), biasOf(2, 1));
      const candidate = activations[1]!(clipped(add(gate(own, 2, units), hidden)));
      return [add(mul(rest(z), candidate), mul(z, h!))];
    };
  },
};

/** Gates i, o, f, c. c' = f c + i g; h' = o tanh(c'). */
const lstm: Kind = {
  gates: 4,
  states: 2,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  step(call) {
    const { add, mul, rest, times, biased, gate, clipped } = arithmetic(call);
    const coupled = call.flag('input_forget');
    return (cell, given, [h, c]) => {
      const { units, activations: [f, g, k] } = cell; // prettier-ignore
      const sum = add(biased(given, cell.inputBias), biased(times(h!, cell.recurrent), cell.stateBias));
      const peep = (at: number, state: Node, x: Node) =>
        cell.peepholes ? add(x, mul(state, part(call, cell.peepholes, 0, at * units, units))) : x;
      const input = f!(clipped(peep(0, c!, gate(sum, 0, units))));
      const forget = coupled ? rest(input) : f!(clipped(peep(2, c!, gate(sum, 2, units))));
      const next = add(mul(forget, c!), mul(input, g!(clipped(gate(sum, 3, units)))));
      const output = f!(clipped(peep(1, next, gate(sum, 1, units))));
      return [mul(output, k!(next)), next];
    };
  },
};

export const recurrentOperators: Readonly<Record<string, Operator>> = {
  RNN: recurrent(rnn),
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
};
