/** A recurrent layer as operations: those of its cell, once a step (keras/src/backend/tensorflow/rnn.py of Keras 3.15). */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { field, type Json } from '../../layers/layerConfig.js';

/** A longer sequence would become more operations than they are worth: the units of the layer stay. */
const MOST_STEPS = 512;

/** What reads a sequence: a cell, or several of which each reads the outputs of the one before. */
export interface Cell {
  /** Of its output. */
  readonly units: number;
  /** Of its states. */
  readonly sizes: readonly number[];
  /** @returns what it gives for one step; null: it has no operations. */
  readonly step: (x: Node, states: readonly Node[]) => { output: Node; states: readonly Node[] } | null;
}

/**
 * A step that the mask leaves out keeps states and output as they were.
 * @param config of the layer: `return_sequences`, `return_state`, `go_backwards`
 * @param inputs the sequence [batch, steps, ...frame], and perhaps a state for each of the cell's
 * @param mask [batch, steps] of 0 and 1; null: every step counts
 * @returns the output, [batch, units] or [batch, steps, units] in the order in which it was computed, and with `return_state` the states.
 */
export function unrolled(
  op: Operations,
  config: Json,
  [x, ...given]: readonly Node[],
  mask: Node | null,
  { units, sizes, step }: Cell,
): Node[] | null {
  const [batch, steps, ...frame] = x!.shape as [number, number, ...number[]];
  const isAsked = (key: string): boolean => field(config, key) === true;
  // Of one step without a state, no operation reads the recurrent kernel, which the units are part of.
  if (steps > MOST_STEPS || (steps < 2 && given.length === 0) || (given.length > 0 && given.length !== sizes.length))
    return null;
  if (mask && (isAsked('zero_output_for_mask') || mask.shape.length !== 2)) return null;
  let states: readonly Node[] = sizes.map((size, i) => given[i] ?? op.fill(0, [batch, size]));
  let output = op.fill(0, [batch, units]);
  const found: Node[] = [];
  for (let t = 0; t < steps; t++) {
    const at = isAsked('go_backwards') ? steps - 1 - t : t;
    const one = op.slice(x!, [0, at, ...frame.map(() => 0)], [batch, 1, ...frame]);
    const next = step(op.reshape(one, [batch, ...frame]), states);
    if (!next) return null;
    const counts = mask && op.slice(mask, [0, at], [batch, 1]);
    const held = (now: Node, before: Node): Node =>
      counts ? op.add(op.mul(now, counts), op.mul(before, op.sub(op.scalar(1), counts))) : now;
    output = held(next.output, output);
    states = next.states.map((state, i) => held(state, states[i]!));
    found.push(output);
  }
  const result = isAsked('return_sequences')
    ? op.concat(found.map((y) => op.reshape(y, [batch, 1, units])), 1)
    : output; // prettier-ignore
  return [result, ...(isAsked('return_state') ? states : [])];
}
