/** Graphs that an executor or a gradient once had wrong, each as small as it gets. */
import type { Sample } from './grammar.js';
import { Growth } from './growth.js';

function sample(build: (growth: Growth) => void): Sample {
  const growth = new Growth(1, 0);
  build(growth);
  return { growth, loss: growth.loss() };
}

export const corpus: readonly (readonly [what: string, Sample])[] = [
  [
    'a gradient that is a constant of several values: NaN on the native kernels',
    sample((g) => void g.keep(g.make.reshape(g.input([1, 2, 2, 1]), [4]))),
  ],
  [
    'max pooling by strides beyond the window, with padding on both sides of a short image: onnxruntime refused its gradient',
    sample((g) => {
      const attrs = { window: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1] };
      g.keep(g.graph.add({ op: 'MaxPool', inputs: [g.input([1, 1, 4, 2])], attrs, shape: [1, 1, 2, 2] }));
    }),
  ],
  [
    'a convolution one of whose windows sees padding alone: an error of the native kernels, not a refusal',
    sample((g) => {
      const attrs = { strides: [2, 2], dilations: [1, 1], pads: [2, 0, 0, 0] };
      const inputs = [g.input([1, 3, 3, 2]), g.input([1, 1, 2, 2])];
      g.keep(g.graph.add({ op: 'Conv2D', inputs, attrs, shape: [1, 3, 2, 2] }));
    }),
  ],
];
