/** Made-up changes by pruning: of digits, of numbers and of yes-or-no labels. */
import type { Finish } from '../../../daemon/protocol/finish.js';
import type { ChangedSample, WhatChanged } from '../../../daemon/protocol/whatChanged.js';

const sample = (index: number, verdict: ChangedSample['verdict'], label: string, reference: string, pruned: string): ChangedSample => ({
  index,
  verdict,
  label,
  reference,
  pruned,
  referenceSure: 0.953,
  prunedSure: 0.871,
}); // prettier-ignore

const evaluation = (loss: number, error: number) => ({ loss, error, samples: 30 });

/** Red, green, blue, white. */
const PICTURE = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]).toString('base64');

export const digits: WhatChanged = {
  version: 1,
  set: 'test',
  samples: 30,
  positions: 1,
  answers: 30,
  reference: evaluation(0.2, 2 / 30),
  pruned: evaluation(0.5, 5 / 30),
  regression: false,
  head: 'none',
  classNames: ['zero', 'one', 'two'],
  result: {
    kind: 'classes',
    count: 3,
    classes: [
      { name: 'zero', samples: 10, reference: 1, pruned: 3 },
      { name: 'one', samples: 10, reference: 1, pruned: 0 },
      { name: 'two', samples: 10, reference: 0, pruned: 2 },
    ],
    matrices: {
      reference: [
        [9, 1, 0],
        [1, 9, 0],
        [0, 0, 10],
      ],
      pruned: [
        [7, 3, 0],
        [0, 10, 0],
        [1, 1, 8],
      ],
    },
    pairs: null,
  },
  changed: {
    worse: 4,
    better: 1,
    other: 0,
    shown: [sample(3, 'worse', 'zero', 'zero', 'one'), sample(12, 'better', 'one', 'zero', 'one')],
    order: 'by how sure the pruned network is of its answer',
  },
  inputs: [{ name: 'digit', shape: [2, 2, 3], image: [2, 2, 3], range: [0, 1], pictures: [PICTURE, PICTURE], values: [] }],
  columns: [[]],
  form: [{ name: 'digit', shape: [8, 8], image: [8, 8, 1], columns: [], stored: [0, 255], background: 0, example: [] }],
  notes: ['Of 5 samples with another answer 2 are shown.'],
}; // prettier-ignore

const off = (rmse: number) => ({ rmse, meanAbsolute: 0.8 * rmse });

export const prices: WhatChanged = {
  ...digits,
  reference: { ...evaluation(0.2, 0.1), absoluteError: 1.6 },
  pruned: { ...evaluation(0.3, 0.15), absoluteError: 2.4 },
  regression: true,
  classNames: null,
  result: {
    kind: 'numbers',
    count: 1,
    reference: off(2),
    pruned: off(3),
    histogram: {
      edges: Array.from({ length: 12 }, (_, i) => i - 5.5),
      reference: [0, 1, 2, 4, 8, 12, 8, 4, 2, 1, 0],
      pruned: [1, 2, 4, 5, 7, 8, 6, 5, 3, 2, 1],
    },
    points: Array.from({ length: 30 }, (_, i) => [i, i + Math.sin(i), i === 4 ? null : i + 2 * Math.cos(3 * i)]),
    outputs: [],
  },
  changed: {
    worse: 20,
    better: 10,
    other: 0,
    shown: [sample(0, 'worse', '21.4', '20.1', '14.9'), sample(1, 'better', '9', '11', '9.5')].map((one) => ({
      ...one,
      referenceSure: null,
      prunedSure: null,
    })),
    order: 'by how much nearer to the target, or further from it, the answer came',
  },
  inputs: [{ name: 'house', shape: [3], image: null, range: [0, 9], pictures: [], values: [[1, 2, null], [4, 5, 6]] }],
  columns: [['rooms', 'age', 'tax']],
  form: [{ name: 'house', shape: [3], image: null, columns: ['rooms', 'age', 'tax'], stored: [0, 9], background: 0, example: [1, 2, 3] }],
}; // prettier-ignore

export const manyClasses: WhatChanged = {
  ...digits,
  result: {
    kind: 'classes',
    count: 100,
    classes: Array.from({ length: 100 }, (_, i) => ({ name: `class ${i}`, samples: 10, reference: i % 3, pruned: i % 5 })),
    matrices: null,
    pairs: [{ label: 'class 3', answer: 'class 4', reference: 1, pruned: 6 }],
  },
}; // prettier-ignore

export const labels: WhatChanged = {
  ...prices,
  regression: false,
  result: {
    kind: 'labels',
    count: 2,
    labels: [
      { name: 'barks', yes: 12, reference: { missed: 1, invented: 0 }, pruned: { missed: 2, invented: 3 } },
      { name: 'purrs', yes: 7, reference: { missed: 0, invented: 1 }, pruned: { missed: 0, invented: 0 } },
    ],
  },
};

export const finish: Finish = {
  set: 'test',
  samples: 10000,
  regression: false,
  error: 0.0154,
  referenceError: 0.0178,
  kept: 2662,
  prunable: 266200,
  size: { bytes: 26624, reference: 1066440, format: 'Sparse package, thinned' },
  speed: { times: 13.04, what: 'sparse module', machine: 'A processor, 1 thread', here: true },
  notes: [],
  report: true,
};
