/** `"fanIn": 32`: at most so many inputs of each neuron or filter. */
import { count, countOf } from '../../../protocol/format.js';
import { BudgetError } from '../../budgetError.js';
import type { Compression } from '../../compression.js';
import { blocksOf } from '../../layerView.js';
import { eachBlock, type BlockedLayer } from '../../projections/blocks.js';
import { MAGNITUDE_BITS, bitsOf, countNonZeros, requireFinite } from '../../projections/select.js';
import type { Structure, StructureKind, Words } from '../kind.js';
import { AT_MOST } from '../typed.js';
import type { Kernel } from '../written.js';

const DIGITS_GROUPED = String.raw`(\d{1,3}(?:[,_ ]\d{3})+|\d+)`;
const UNIT = '(?:neurons?|filters?|units?|outputs?|channels?)';
/** "32 inputs a neuron", "at most 32 connections per filter", "fan-in 32". */
const INPUTS = /* @__PURE__ */ new RegExp(
  `^(?:${AT_MOST} )?${DIGITS_GROUPED} (?:inputs?|connections?) (?:(?:of )?(?:an?|each|every|per) |/ ?)${UNIT}$|^fan[- ]?in(?: of)?[: ]? ?(?:${AT_MOST} )?${DIGITS_GROUPED}$`,
);

export const words = {
  role: 'structure',
  value: 'count',
  summary: 'Fan-in: at most so many inputs (weights that are not zero) of each neuron or filter, in every kernel.',
  help: 'Fan-in: every neuron or filter keeps at most n inputs, `||theta_u||_0 <= n` for each unit u of every kernel.\n\nC step: the n largest `|v_i|` of each unit stay (exact, O(N)). With `keep`, `weights` or `bytes`: the largest of those.',
  snippet: '${1:32}',
  label: (inputs) => `${countOf(inputs, 'input')} a neuron`,
  phrase: (inputs) => `at most ${countOf(inputs, 'input')} a neuron`,
  typed: {
    example: '32 inputs a neuron',
    offer: 'Keep at most {0} inputs of each neuron and filter',
    shown: count,
    unit: 'inputs a neuron',
    read(text) {
      const [, before, behind] = INPUTS.exec(text) ?? [];
      const digits = before ?? behind;
      if (digits === undefined) return null;
      const inputs = Number(digits.replace(/[,_ ]/g, ''));
      return inputs >= 1 && Number.isSafeInteger(inputs) ? inputs : 'range';
    },
  },
  counts: 'inputs',
} as const satisfies Words<'count'>;

interface FanIn extends Structure {
  readonly kind: 'fanIn';
  readonly inputs: number;
}

/** Inputs of one unit: of a filter, its window times the channels it reads. */
const inputsOf = ({ size, units }: BlockedLayer): number => size / units;

/** Calls with the positions of each unit's inputs; the array is reused. */
const eachUnit = (layer: BlockedLayer, start: number, visit: (unit: Uint32Array) => void): void =>
  eachBlock(inputsOf(layer), layer, start, visit);

const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
const digitCounts = /* @__PURE__ */ new Uint32Array(DIGITS);

/**
 * The magnitude of rank `wanted` (1 is the largest) among the keys, a digit at a time from the top, so in O(length) whatever
 * the values. @returns it, and how many of its equals are among the `wanted` largest.
 */
function largestOfRank(keys: Int32Array, wanted: number): { threshold: number; ties: number } {
  let threshold = 0;
  let ties = wanted;
  for (let shift = 32 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
    digitCounts.fill(0);
    for (let i = 0; i < keys.length; i++) {
      const digits = keys[i]! >>> shift;
      if (digits >>> DIGIT_BITS === threshold) digitCounts[digits & (DIGITS - 1)]!++;
    }
    let digit = DIGITS - 1;
    for (; digitCounts[digit]! < ties; digit--) ties -= digitCounts[digit]!;
    threshold = (threshold << DIGIT_BITS) | digit;
  }
  return { threshold, ties };
}

/** Zeroes all but the `most` largest of a unit's inputs; ties to the lowest input. */
function keepLargestOfUnit(bits: Int32Array, unit: Uint32Array, most: number, keys: Int32Array): void {
  for (let i = 0; i < unit.length; i++) keys[i] = bits[unit[i]!]! & MAGNITUDE_BITS;
  const { threshold, ties } = largestOfRank(keys, most);
  let left = ties;
  for (let i = 0; i < unit.length; i++)
    if (keys[i]! < threshold || (keys[i] === threshold && left-- <= 0)) bits[unit[i]!] = 0;
}

/** The projection: each unit's `most` largest |v| stay. Units share no weight, so it is exact. */
function fanInConstraint(most: number, layers: readonly BlockedLayer[]): Compression {
  const narrow = layers.map((layer) => inputsOf(layer) > most);
  const keys = layers.map((layer, l) => new Int32Array(narrow[l] ? inputsOf(layer) : 0));
  return {
    description: `at most ${most} inputs a unit`,
    project(v, _mu, theta) {
      requireFinite(v);
      if (theta !== v) theta.set(v);
      const bits = bitsOf(theta);
      let start = 0;
      layers.forEach((layer, l) => {
        if (narrow[l]) eachUnit(layer, start, (unit) => keepLargestOfUnit(bits, unit, most, keys[l]!));
        start += layer.size;
      });
    },
    cost: countNonZeros,
  };
}

/** The most non-zeros among the inputs of any unit. */
function largestFanIn({ view, data }: Kernel): number {
  let most = 0;
  eachUnit(blocksOf(view), 0, (unit) => {
    let kept = 0;
    for (const position of unit) if (data[position] !== 0) kept++;
    most = Math.max(most, kept);
  });
  return most;
}

export const structure: StructureKind<FanIn, number> = {
  parse(inputs) {
    if (!Number.isInteger(inputs)) throw new BudgetError('fanIn', `${inputs} is not a whole number`, Math.ceil(inputs));
    if (inputs < 1) throw new BudgetError('fanIn', `${inputs} keeps nothing; the least is 1`, 1);
    return {
      kind: 'fanIn',
      name: `fan-in ${inputs}`,
      inputs,
      capacity(layer) {
        const { units, size } = blocksOf(layer);
        return Math.min(size, units * inputs);
      },
      compression: (layers) => fanInConstraint(inputs, layers.map(blocksOf)),
    };
  },
  check({ inputs }, { kernels }) {
    const got = Math.max(...kernels.map(largestFanIn));
    return { asked: `fan-in ${inputs}`, limit: inputs, got, met: got <= inputs };
  },
};
