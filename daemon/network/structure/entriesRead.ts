import { sizeOf } from '../../protocol/shape.js';
import type { Graph, Node } from '../ir.js';
import { contractionOf, eachKept } from './contraction.js';
import { knownValues } from './liveUnits.js';
import { scalarOf } from './scalars.js';
import { programOf, type Program, type Step, type Value } from './values.js';

/** Marks the entries of a sample that a step, or those behind it, may read; `read` has one entry for each number of a sample. */
class Reading {
  constructor(
    private readonly program: Program,
    private readonly known: ReturnType<typeof knownValues>,
  ) {}

  /** Whether each number of the result comes from the number in the same place. */
  #isInOrder({ node, inputs, output }: Step, value: Value): boolean {
    if (node.op === 'Reshape') return true;
    const isAlone = inputs.every((input) => input === value || input.fixed);
    return scalarOf(node) !== null && isAlone && sizeOf(output.shape) === sizeOf(value.shape);
  }

  mark(value: Value, read: Uint8Array): void {
    if (this.program.outputs.includes(value)) read.fill(1);
    for (const step of this.program.readers[value.id]!) {
      const contraction = contractionOf(step);
      const data = contraction && this.known(contraction.kernel).data;
      if (data && contraction.x === value && contraction.xAxis === value.shape.length - 1) {
        const channels = new Uint8Array(value.shape.at(-1)!);
        eachKept(contraction, data, (_value, channel) => (channels[channel] = 1));
        for (let i = 0; i < read.length; i++) if (channels[i % channels.length] === 1) read[i] = 1;
      } else if (this.#isInOrder(step, value)) this.mark(step.output, read);
      else read.fill(1);
    }
  }
}

/**
 * Which numbers of inputs any weight other than 0 reads. A number counts as read where nothing proves that it is not.
 * @param weights by name, in the network's layout. @param inputs nodes of role `data`, [batch, ...].
 * @returns for each input one entry for each number of a sample, row major: 1 when it is read.
 */
export function entriesRead(
  graph: Graph,
  weights: ReadonlyMap<string, ArrayLike<number>>,
  inputs: readonly Node[],
): Uint8Array[] {
  const program = programOf(graph);
  const reading = new Reading(program, knownValues(program, weights));
  return inputs.map((node) => {
    const read = new Uint8Array(sizeOf(node.shape.slice(1)));
    reading.mark(program.inputs.find(({ value }) => value.node === node)!.value, read);
    return read;
  });
}
