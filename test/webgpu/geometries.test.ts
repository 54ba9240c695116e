/** Convolutions and pooling of random sizes on WebGPU: its kernels branch on channels, windows and padding, and err in some. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../daemon/network/builder.js';
import { type Graph, type Node } from '../../daemon/network/ir.js';
import { emitOnnx } from '../../daemon/onnx/emit/emit.js';
import { gpuOnnx, wholeOnnx } from '../../daemon/onnx/emit/emitter.js';
import { createRandom } from '../../daemon/lc/random.js';
import { sizeOf } from '../../daemon/protocol/shape.js';

const ort = await import('onnxruntime-node').then((module) => module.default);

async function run(graph: Graph, values: readonly Float32Array[], provider: 'cpu' | 'webgpu') {
  const model = emitOnnx(graph, provider === 'cpu' ? wholeOnnx : gpuOnnx);
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: [provider],
    logSeverityLevel: 4,
  });
  const feeds = model.inputs.map((name, i) => [
    name,
    new ort.Tensor('float32', values[i]!, graph.inputs[i]!.node.shape),
  ]);
  const results = await session.run(Object.fromEntries(feeds) as Record<string, InstanceType<typeof ort.Tensor>>);
  await session.release();
  return model.outputs.map((name) => Float32Array.from(results[name]!.data as Float32Array));
}

/** Sizes of a convolution or pooling: channels of every remainder, windows up to the whole image, padding on any side. */
function geometry(random: ReturnType<typeof createRandom>) {
  const upTo = (n: number) => 1 + random.below(n);
  const image = [upTo(8), upTo(8)];
  const window = image.map((n) => upTo(Math.min(n, 5)));
  if (random.below(4) === 0) window.splice(0, 2, ...image);
  const strides = window.map(() => upTo(2));
  const [top, left, bottom, right] = [0, 1, 0, 1].map((axis) => random.below(Math.min(3, window[axis]!)));
  const pads = [top!, left!, bottom!, right!];
  const out = image.map((n, axis) => Math.floor((n + pads[axis]! + pads[axis + 2]! - window[axis]!) / strides[axis]!) + 1); // prettier-ignore
  return { batch: upTo(7), image, window, out, channels: upTo(13), filters: upTo(13), attrs: { strides, pads } };
}
type Geometry = ReturnType<typeof geometry>;

/** A forward operation and its gradients. */
type Build = (graph: GraphBuilder, input: (shape: readonly number[]) => Node, geometry: Geometry) => Node[];
const kinds: [string, Build][] = [
  [
    'convolutions',
    (graph, input, { batch, image, window, out, channels, filters, attrs: { strides, pads } }) => {
      const attrs = { strides, pads, dilations: [1, 1] };
      const [x, w, y] = [[batch, ...image, channels], [...window, channels, filters], [batch, ...out, filters]].map(input); // prettier-ignore
      return [
        graph.add({ op: 'Conv2D', inputs: [x!, w!], attrs, shape: y!.shape }),
        graph.add({ op: 'Conv2DBackpropInput', inputs: [y!, w!], attrs, shape: x!.shape }),
        graph.add({ op: 'Conv2DBackpropFilter', inputs: [x!, y!], attrs, shape: w!.shape }),
      ];
    },
  ],
  [
    'depthwise convolutions',
    (graph, input, { batch, image, window, out, channels, filters, attrs: { strides, pads } }) => {
      const attrs = { strides, pads, dilations: [1, 1] };
      const multiplier = 1 + (filters % 3);
      const [x, w, y] = [[batch, ...image, channels], [...window, channels, multiplier], [batch, ...out, channels * multiplier]].map(input); // prettier-ignore
      return [
        graph.add({ op: 'DepthwiseConv2D', inputs: [x!, w!], attrs, shape: y!.shape }),
        graph.add({ op: 'DepthwiseConv2DBackpropInput', inputs: [y!, w!], attrs, shape: x!.shape }),
        graph.add({ op: 'DepthwiseConv2DBackpropFilter', inputs: [x!, y!], attrs, shape: w!.shape }),
      ];
    },
  ],
  [
    'pooling',
    (graph, input, { batch, image, window, out, channels, attrs: sliding }) => {
      const attrs = { ...sliding, window };
      const [x, dy] = [
        [batch, ...image, channels],
        [batch, ...out, channels],
      ].map(input);
      const y = graph.add({ op: 'MaxPool', inputs: [x!], attrs, shape: dy!.shape });
      return [
        y,
        graph.add({ op: 'MaxPoolGrad', inputs: [dy!, x!, y], attrs, shape: x!.shape }),
        graph.add({ op: 'AvgPool', inputs: [x!], attrs, shape: dy!.shape }),
        graph.add({ op: 'AvgPoolGrad', inputs: [dy!], attrs, shape: x!.shape }),
      ];
    },
  ],
];

describe.each(kinds)('%s of random sizes', (_name, build) => {
  it.each(Array.from({ length: 12 }, (_, i) => i))('seed %i', async (seed) => {
    const random = createRandom(seed);
    const sizes = geometry(random);
    const graph = new GraphBuilder();
    let index = 0;
    const input = (shape: readonly number[]) => graph.input(shape, { role: 'data', index: index++ });
    const finished = graph.finish(build(graph, input, sizes).map((node) => ({ role: 'output', node })));
    const values = finished.inputs.map(({ node }) =>
      Float32Array.from({ length: sizeOf(node.shape) }, () => random.normal()),
    );
    const [cpu, gpu] = [await run(finished, values, 'cpu'), await run(finished, values, 'webgpu')];
    cpu.forEach((expected, i) => {
      const scale = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      const worst = expected.reduce((m, v, k) => Math.max(m, Math.abs(v - gpu[i]![k]!)), 0);
      expect(worst / scale, `output ${i} of ${JSON.stringify(sizes)}`).toBeLessThan(1e-5);
    });
  });
});
