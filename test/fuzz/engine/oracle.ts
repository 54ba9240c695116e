/** Loss, gradients, next states and outputs of a session's graphs in float64, and its training. */
import { fillRandom } from '../../../daemon/engine/compiled/randomInputs.js';
import type { CompiledSession } from '../../../daemon/engine/compiled/session.js';
import type { TrainRequest } from '../../../daemon/engine/engine.js';
import { type Graph, type Node } from '../../../daemon/network/ir.js';
import { referenceUpdate } from '../../../daemon/engine/update/reference.js';
import { updateSegments } from '../../../daemon/engine/update/segments.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { Interpreter } from './float64/interpreter.js';
import type { Batch } from './networks/network.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';

type Numbers = ArrayLike<number>;

/** The state at the start of a training step, as flat vectors in the session's layout. */
export interface Start {
  readonly weights: Numbers;
  readonly states: ReadonlyMap<string, Numbers>;
  readonly randomState: readonly number[];
}

const slice = (values: Numbers, from: number, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => values[from + i]!);

/** Multiplications and the size of what is written, of the nodes that `wanted` needs; default all. */
export function costOf(graph: Graph, wanted: readonly Node[] = graph.outputs.map(({ node }) => node)): number {
  const seen = new Set<Node>();
  const stack = [...wanted];
  let cost = 0;
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
    const [a, b] = node.inputs.map(({ shape }) => sizeOf(shape));
    const size = sizeOf(node.shape);
    const window = (node.attrs['window'] as number[] | undefined)?.reduce((product, n) => product * n, 1) ?? 1;
    if (node.op === 'MatMul') cost += size * node.inputs[0]!.shape.at(node.attrs['transposeA'] ? -2 : -1)!;
    else if (node.op.includes('Filter')) cost += (b! * size) / node.inputs[1]!.shape.at(-1)!;
    else if (node.op.includes('Conv2D'))
      cost += ((node.op.endsWith('Input') ? a! : size) * b!) / node.inputs[1]!.shape.at(-1)!; // prettier-ignore
    else cost += 4 * (node.op.endsWith('Grad') ? a! : size) * window;
  }
  return cost;
}

export class Oracle {
  readonly loss: Node;

  constructor(
    private readonly session: CompiledSession,
    readonly training: Graph,
  ) {
    this.loss = training.outputs.find(({ role }) => role === 'loss')!.node;
  }

  interpreter({ weights, states, randomState }: Start, batch: Batch, noise?: number): Interpreter {
    const { training } = this;
    const random = createRandom(0);
    random.restore(randomState);
    const places = new Map(this.session.parameters.map((parameter) => [parameter.name, parameter]));
    const feeds = new Map<Node, Numbers>();
    for (const input of training.inputs) {
      const { node } = input;
      if (input.role === 'data') feeds.set(node, batch.inputs[input.index]!);
      else if (input.role === 'target') feeds.set(node, batch.target);
      else if (input.role === 'state') feeds.set(node, states.get(input.name)!);
      else if (input.role === 'parameter') {
        const { offset, size } = places.get(input.name)!;
        feeds.set(node, slice(weights, offset, size));
      } else if (input.role === 'random') {
        const drawn = new Float32Array(sizeOf(node.shape));
        fillRandom(random, input.random, drawn);
        feeds.set(node, drawn);
      }
    }
    this.#after = random.state;
    return new Interpreter(training, feeds, noise);
  }

  #after: readonly number[] = [];
  /** The generator's state after the last interpreter's draws. */
  get randomStateAfter(): readonly number[] {
    return this.#after;
  }

  /** A flat gradient, zero for parameters that the loss does not depend on. */
  gradient(at: Interpreter): Float64Array {
    const gradient = new Float64Array(this.session.size);
    for (const output of this.training.outputs) {
      if (output.role !== 'gradient') continue;
      gradient.set(at.value(output.node), this.session.parameters.find(({ name }) => name === output.name)!.offset);
    }
    return gradient;
  }

  nextStates(at: Interpreter, states: Start['states']): Map<string, Numbers> {
    const next = new Map(states);
    for (const output of this.training.outputs)
      if (output.role === 'state') next.set(output.name, at.value(output.node));
    return next;
  }

  /**
   * Computes the change of the weights by `session.train`.
   * @param noise as Interpreter has it; the weights are then rounded to float32 after each step.
   */
  train(start: Start, request: Omit<TrainRequest, 'batches'>, batches: readonly Batch[], noise?: number): Start {
    const { session } = this;
    const { momentum, nesterov, weightDecay, penalty, mask } = request;
    const segments = updateSegments(session.size, session.prunableSize, {
      ...(penalty ? { penalty: penalty.ranges } : {}),
      ...(mask ? { mask: mask.ranges } : {}),
    });
    let { states, randomState } = start;
    let weights = Float64Array.from(start.weights);
    const velocity = new Float64Array(session.size);
    for (let i = 0; i < request.steps; i++) {
      const at = this.interpreter({ weights, states, randomState }, batches[i]!, noise === undefined ? undefined : noise + i); // prettier-ignore
      const settings = { eta: request.learningRate(i), momentum, nesterov, weightDecay, mu: penalty?.mu ?? 0 };
      const gradient = this.gradient(at);
      states = this.nextStates(at, states);
      randomState = this.randomStateAfter;
      referenceUpdate(weights, velocity, gradient, segments, settings, penalty?.target, mask?.keep);
      if (noise !== undefined) weights = weights.map(Math.fround);
    }
    return { weights, states, randomState };
  }
}

/** The output of an inference graph, before its head. */
export function inferred(
  session: CompiledSession,
  graph: Graph,
  { weights, states }: Start,
  inputs: readonly Float32Array[],
  noise?: number,
): Float64Array {
  const places = new Map(session.parameters.map((parameter) => [parameter.name, parameter]));
  const feeds = new Map<Node, Numbers>();
  for (const input of graph.inputs) {
    const size = sizeOf(input.node.shape);
    if (input.role === 'parameter') feeds.set(input.node, slice(weights, places.get(input.name)!.offset, size));
    else if (input.role === 'state') feeds.set(input.node, states.get(input.name)!);
    else if (input.role === 'data') {
      const padded = new Float32Array(size);
      padded.set(inputs[input.index]!.subarray(0, size));
      feeds.set(input.node, padded);
    }
  }
  return new Interpreter(graph, feeds, noise).value(graph.outputs[0]!.node);
}

/** Weights that are not trained, by name, in the session's order: those of the model that are not parameters. */
export function statesOf(session: CompiledSession, model: LayersModel, flat: Float32Array): Map<string, Float32Array> {
  const trained = new Set(session.parameters.map(({ name }) => name));
  let at = 0;
  const states = model.weights.flatMap(({ name, data }): [string, Float32Array][] =>
    trained.has(name) ? [] : [[name, flat.slice(at, (at += data.length))]],
  );
  return new Map(states);
}
