import { type Known, sliced } from '../known.js';
import type { Rule } from '../rule.js';

/** Rules of pooling and resizing, which work channel by channel and make equal pixels from equal pixels. */

const byChannel: Rule = {
  tie: (step, ties) => {
    const [x] = step.inputs;
    for (const axis of [0, 3]) ties.same(step, step.output, axis, x!, axis);
    for (const axis of [1, 2]) for (const image of [x!, step.output]) ties.pin(step, image, axis, 'window');
  },
  known: ({ output }, [x]): Known => sliced(output.shape, new Map([[3, x!.axis(3)]]), x!.whole),
};

export const windowRules: Readonly<Record<string, Rule>> = Object.fromEntries(
  ['MaxPool', 'AvgPool', 'ResizeNearest', 'ResizeBilinear'].map((op) => [op, byChannel]),
);
