import { constantResults, contractionOf } from '../contraction.js';
import { contractionReads } from '../contractionReads.js';
import { type Known, sliced, unknown } from '../known.js';
import type { Rule, Ties } from '../rule.js';
import type { Step, Value } from '../values.js';

/** Rules of convolutions: channels are read and made, rows and columns stay, and samples are independent. */

function tieImages(step: Step, ties: Ties): void {
  const [x, filter] = step.inputs as [Value, Value];
  ties.same(step, step.output, 0, x, 0);
  for (const axis of [1, 2]) for (const image of [x, step.output]) ties.pin(step, image, axis, 'window');
  for (const axis of [0, 1]) ties.pin(step, filter, axis, 'window');
}

const dense: Rule = {
  tie: (step, ties) => {
    tieImages(step, ties);
    const { x, xAxis, kernel, kernelIn, kernelOut, out, outAxis } = contractionOf(step)!;
    ties.same(step, x, xAxis, kernel, kernelIn);
    ties.same(step, out, outAxis, kernel, kernelOut);
    if (kernel.node.op === 'Constant') for (const axis of [2, 3]) ties.pin(step, kernel, axis, 'constant');
    ties.role(kernel, kernelIn, 'reads');
    ties.role(kernel, kernelOut, 'makes');
  },
  known: (step, [x, kernel]) => {
    if (!kernel!.data) return unknown(step.output.shape);
    const results = constantResults(contractionOf(step)!, x!, kernel!.data);
    return sliced(step.output.shape, new Map([[3, results]]), results.every((v) => v === 0) ? 0 : NaN); // prettier-ignore
  },
  reads: (step, life) => void contractionReads(step, life),
};

/** By result: whether all taps of a depthwise filter are 0, and their sum. */
function taps(filter: Known, results: number): { readonly none: boolean; readonly sum: number }[] {
  const all = Array.from({ length: results }, () => ({ none: filter.data !== undefined, sum: filter.data ? 0 : NaN }));
  for (let i = 0; i < (filter.data?.length ?? 0); i++) {
    const one = all[i % results]!;
    const value = filter.data![i]!;
    one.none &&= value === 0;
    one.sum += value;
  }
  return all;
}

/** Ties each channel to its `multiplier` results. @param many the image that has the results. */
function tieDepthwise(step: Step, ties: Ties, many: Value, one: Value): void {
  tieImages(step, ties);
  const filter = step.inputs[1]!;
  const multiplier = filter.shape[3]!;
  ties.same(step, one, 3, filter, 2);
  if (multiplier === 1) ties.same(step, many, 3, one, 3);
  else {
    ties.map(step, many, 3, one, 3, (i) => Math.floor(i / multiplier));
    ties.pin(step, filter, 3, 'split');
  }
  ties.role(filter, 2, 'makes');
}

const depthwise: Rule = {
  tie: (step, ties) => tieDepthwise(step, ties, step.output, step.inputs[0]!),
  known: ({ node, inputs, output }, [x, filter]) => {
    const n = output.shape[3]!;
    const multiplier = inputs[1]!.shape[3]!;
    const pads = (node.attrs['pads'] as readonly number[]).some((pad) => pad > 0);
    const given = x!.axis(3);
    const results = Float64Array.from(taps(filter!, n), ({ none, sum }, i) => {
      const constant = given[Math.floor(i / multiplier)]!;
      return none || constant === 0 ? 0 : pads ? NaN : constant * sum;
    });
    return sliced(output.shape, new Map([[3, results]]), results.every((v) => v === 0) ? 0 : NaN); // prettier-ignore
  },
};

const depthwiseTransposed: Rule = {
  tie: (step, ties) => tieDepthwise(step, ties, step.inputs[0]!, step.output),
  known: ({ inputs, output }, [dy, filter]) => {
    const multiplier = inputs[1]!.shape[3]!;
    const given = dy!.axis(3);
    const all = taps(filter!, given.length);
    const zero = (c: number) => Array.from({ length: multiplier }, (_, m) => c * multiplier + m).every((i) => given[i] === 0 || all[i]!.none); // prettier-ignore
    const results = Float64Array.from({ length: output.shape[3]! }, (_, c) => (zero(c) ? 0 : NaN));
    return sliced(output.shape, new Map([[3, results]]), results.every((v) => v === 0) ? 0 : NaN); // prettier-ignore
  },
};

export const convolutionRules: Readonly<Record<string, Rule>> = {
  Conv2D: dense,
  Conv2DBackpropInput: dense,
  DepthwiseConv2D: depthwise,
  DepthwiseConv2DBackpropInput: depthwiseTransposed,
};
