import type { Graph } from '../../network/ir.js';
import { verifiesEachNode } from '../../network/verify/eachNode.js';
import { verifyNode } from '../../network/verify/verifyNode.js';
import { Allocation, fixedPlaces } from './allocate.js';
import { operationsOf, type Operation } from './cost.js';
import { emit } from './emit.js';
import { lifetimesOf } from './lifetimes.js';
import { lower } from './lower/lower.js';
import { moveWords, nothing, wholeBlock } from './moves.js';
import { cutIntoUnits } from './cut/cut.js';
import { sizeOf } from '../../protocol/shape.js';

export interface Encoded {
  /** As kernels/layout.json has it. */
  readonly code: Int32Array;
  /** Buffers in order: the arena, then constants, then the graph's inputs, then its outputs. */
  readonly arenaSize: number;
  readonly constants: readonly Float32Array[];
  /** What each operation of the code is, in order. */
  readonly operations: readonly Operation[];
}

/**
 * The program of a graph: cut into units, each with its tensors in the arena, and written as code.
 *
 * @throws Unsupported
 */
export function encode(given: Graph): Encoded {
  const graph = lower(given);
  if (verifiesEachNode()) graph.nodes.forEach(verifyNode);
  const { units, inputsOf } = cutIntoUnits(graph);
  const fixed = fixedPlaces(graph);
  const lifetimes = lifetimesOf(
    units,
    inputsOf,
    fixed.copies.map(({ from }) => from),
  );
  const allocation = new Allocation(fixed, lifetimes, inputsOf);
  const code: number[] = [];
  const operations: Operation[] = [];

  units.forEach((unit, i) => {
    allocation.begin(unit, i);
    emit(code, unit, {
      place: (node) => allocation.placeOf(node),
      index: (pool) => allocation.indexOf(pool),
      temporary: (floats) => allocation.temporary(floats, i),
      inputsOf,
    });
    const inputs = new Set(lifetimes.reads[i]!.filter(({ constant }) => typeof constant !== 'number'));
    const written = lifetimes.results[i]!.filter((node) => allocation.placeOf(node));
    operations.push(...operationsOf(unit, [...inputs, ...written]));
    allocation.end(i);
  });
  for (const { from, to } of fixed.copies) {
    const place = allocation.placeOf(from);
    const size = sizeOf(from.shape);
    operations.push({ words: `copy of ${size}`, flops: 0, bytes: 8 * size });
    // Of a constant that is one number everywhere there is no tensor.
    const copy = place
      ? moveWords(place, to, wholeBlock(from.shape))
      : moveWords(undefined, to, nothing, size, from.constant as number);
    code.push(...copy);
  }
  allocation.checkSizes(graph.nodes.at(-1)!);
  return { code: Int32Array.from(code), arenaSize: allocation.size, constants: fixed.constants, operations };
}
