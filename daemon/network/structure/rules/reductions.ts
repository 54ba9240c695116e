import { sliced } from '../known.js';
import type { Rule, Ties, Why } from '../rule.js';
import type { Step } from '../values.js';

/** Rules of operations along an axis: a sum does not need zeros, all others need every entry. */

const axesOf = ({ node }: Step): readonly number[] => node.attrs['axes'] as readonly number[];

/** The result's axes by the input's; -1 for those that are reduced. */
function resultAxes(step: Step): number[] {
  const reduced = axesOf(step);
  const keep = step.node.attrs['keepDims'] === true;
  let next = 0;
  return step.inputs[0]!.shape.map((_, axis) => {
    if (reduced.includes(axis)) return keep ? (next++, -1) : -1;
    return next++;
  });
}

function tieRest(step: Step, ties: Ties): void {
  resultAxes(step).forEach((axis, own) => {
    if (axis >= 0) ties.same(step, step.output, axis, step.inputs[0]!, own);
  });
}

/** The rule of a reduction. @param result returns the reduction of `count` equal values. */
const reduction = (why: Why | null, result: (value: number, count: number) => number): Rule => ({
  tie: (step, ties) => {
    tieRest(step, ties);
    if (why) for (const axis of axesOf(step)) ties.pin(step, step.inputs[0]!, axis, why);
  },
  known: (step, [x]) => {
    const count = axesOf(step).reduce((product, axis) => product * step.inputs[0]!.shape[axis]!, 1);
    const axes = resultAxes(step).flatMap((axis, own) =>
      axis < 0 ? [] : [[axis, Float64Array.from(x!.axis(own), (v) => result(v, count))] as const],
    );
    return sliced(step.output.shape, new Map(axes), result(x!.whole, count));
  },
  reads: (step, life) => {
    if (why) return;
    const [x] = step.inputs;
    for (const axis of axesOf(step)) {
      const given = life.known(x!).axis(axis);
      for (let i = 0; i < given.length; i++)
        if (given[i] !== 0) life.mark(x!, axis, i);
        else life.zero(x!, axis, i);
    }
  },
});

const same = (value: number): number => value;

/** The axis of the computation stays; the indices of other axes are independent. */
const along = (why: Why, axisOf: (step: Step) => number, gone = false): Rule => ({
  tie: (step, ties) => {
    const [x] = step.inputs;
    const at = axisOf(step);
    ties.pin(step, x!, at, why);
    if (!gone) ties.pin(step, step.output, at, why);
    x!.shape.forEach((_, axis) => {
      if (axis !== at) ties.same(step, step.output, gone && axis > at ? axis - 1 : axis, x!, axis);
    });
  },
});

const lastAxis = ({ output }: Step): number => output.shape.length - 1;
const namedAxis = ({ node }: Step): number => node.attrs['axis'] as number;

export const reductionRules: Readonly<Record<string, Rule>> = {
  Sum: reduction(null, (value, count) => value * count),
  Mean: reduction('statistic', same),
  Max: reduction('compared', same),
  Min: reduction('compared', same),
  Prod: reduction('compared', (value, count) => value ** count),
  ArgMax: along('compared', namedAxis, true),
  ArgMin: along('compared', namedAxis, true),
  Softmax: along('softmax', lastAxis),
  LogSoftmax: along('softmax', lastAxis),
  Cumsum: along('compared', namedAxis),
};
