/** Transformers as training graphs: forward pass, loss, and the graph's own gradients; weights by PyTorch-like names. */
import { createRandom } from '../../../daemon/lc/random.js';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import { gradients } from '../../../daemon/network/gradient/gradients.js';
import type { Graph, Node } from '../../../daemon/network/ir.js';
import { Operations } from '../../../daemon/network/operations.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';

/** Sizes of a transformer encoder with a linear classifier on its first token. */
export interface Sizes {
  readonly batch: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly tokens: number;
  readonly hidden: number;
  readonly classes: number;
  /** Numbers of a patch of an image; or how many words there are, of which each token is one. */
  readonly patch?: number;
  readonly words?: number;
}

export const networkNames = ['vit-tiny', 'bert-mini'] as const;
export type NetworkName = (typeof networkNames)[number];

/** ViT-Ti/16 at 224 x 224 [Touvron et al. 2021]: norm first. BERT-mini [Turc et al. 2019] on 128 tokens: norm last. */
export const sizesOf: Readonly<Record<NetworkName, Sizes>> = {
  'vit-tiny': { batch: 8, layers: 12, width: 192, heads: 3, tokens: 197, hidden: 768, classes: 1000, patch: 768 },
  'bert-mini': { batch: 16, layers: 4, width: 256, heads: 4, tokens: 128, hidden: 1024, classes: 2, words: 30522 },
};

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The training graph, its weights and one batch. */
export interface Training {
  readonly graph: Graph;
  readonly weights: readonly Weight[];
  readonly data: Float32Array;
  /** One-hot. */
  readonly target: Float32Array;
  /** Multiplications and additions of products in one step. */
  readonly flops: number;
}

class Encoder {
  readonly graph = new GraphBuilder();
  readonly make = new Operations(this.graph);
  readonly weights: Weight[] = [];
  readonly parameters: Node[] = [];
  private readonly random = createRandom(1);

  constructor(private readonly sizes: Sizes) {}

  /** Drawn with a spread, around a mean. */
  weight(name: string, shape: readonly number[], spread: number, mean = 0): Node {
    const values = Float32Array.from({ length: sizeOf(shape) }, () => mean + spread * this.random.normal());
    this.weights.push({ name, shape, values });
    const node = this.graph.input(shape, { role: 'parameter', name });
    this.parameters.push(node);
    return node;
  }

  linear(x: Node, name: string, columns: number): Node {
    const rows = x.shape.at(-1)!;
    const kernel = this.weight(`${name}.weight`, [rows, columns], 1 / Math.sqrt(rows));
    return this.make.add(this.make.matMul(x, kernel), this.weight(`${name}.bias`, [columns], 0.02));
  }

  /** LayerNorm in the form of exporters: (x - mean) / sqrt(variance + eps) * gain + bias. */
  norm(x: Node, name: string): Node {
    const { make } = this;
    const columns = x.shape.at(-1)!;
    const over = [x.shape.length - 1];
    const centred = make.sub(x, make.reduce('Mean', x, over, true));
    const variance = make.reduce('Mean', make.unary('Square', centred), over, true);
    const scaled = make.div(centred, make.unary('Sqrt', make.add(variance, 1e-5)));
    return make.add(make.mul(scaled, this.weight(`${name}.weight`, [columns], 0.02, 1)), this.weight(`${name}.bias`, [columns], 0.02)); // prettier-ignore
  }

  /** x / 2 (1 + erf(x / sqrt 2)). */
  gelu(x: Node): Node {
    const { make } = this;
    const both = make.add(make.unary('Erf', make.div(x, Math.SQRT2)), 1);
    return make.mul(make.mul(x, both), 0.5);
  }

  /** One projection for queries, keys and values, cut into heads. */
  attention(x: Node, name: string): Node {
    const { make } = this;
    const { batch, tokens, width, heads } = this.sizes;
    const size = width / heads;
    const joint = make.reshape(this.linear(x, `${name}.in`, 3 * width), [batch, tokens, 3, heads, size]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const part = make.slice(joint, [0, 0, i, 0, 0], [batch, tokens, 1, heads, size]);
      return make.transpose(make.reshape(part, [batch, tokens, heads, size]), [0, 2, 1, 3]);
    }) as [Node, Node, Node];
    const scores = make.mul(make.matMul(q, make.transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(size));
    const shares = this.graph.add({ op: 'Softmax', inputs: [scores], shape: scores.shape });
    const mixed = make.transpose(make.matMul(shares, v), [0, 2, 1, 3]);
    return this.linear(make.reshape(mixed, [batch, tokens, width]), `${name}.out`, width);
  }

  perceptron(x: Node, name: string): Node {
    return this.linear(this.gelu(this.linear(x, `${name}.0`, this.sizes.hidden)), `${name}.2`, this.sizes.width);
  }
}

/** Patches behind a token for the class; or words: a table's rows by number. Both with a vector for each place added. */
function embedded(encoder: Encoder, { batch, tokens, width, patch, words }: Sizes): Node {
  const { make, graph } = encoder;
  if (words !== undefined) {
    const ids = make.cast(graph.input([batch, tokens], { role: 'data', index: 0 }), 'int32');
    const table = encoder.weight('words', [words, width], 0.02);
    const rows = graph.add({ op: 'Gather', inputs: [table, ids], attrs: { axis: 0 }, shape: [batch, tokens, width] });
    return encoder.norm(make.add(rows, encoder.weight('places', [tokens, width], 0.02)), 'norm');
  }
  const patches = graph.input([batch, tokens - 1, patch!], { role: 'data', index: 0 });
  const first = graph.add({
    op: 'Tile',
    inputs: [encoder.weight('class', [1, 1, width], 0.02)],
    attrs: { reps: [batch, 1, 1] },
    shape: [batch, 1, width],
  });
  const inputs = [first, encoder.linear(patches, 'patches', width)];
  const joined = graph.add({ op: 'Concat', inputs, attrs: { axis: 1 }, shape: [batch, tokens, width] });
  return make.add(joined, encoder.weight('places', [1, tokens, width], 0.02));
}

/** @param sizes of the network; the weights and the batch are seeded. */
export function trainingOf(sizes: Sizes): Training {
  const { batch, layers, width, heads, tokens, hidden, classes, patch, words } = sizes;
  const encoder = new Encoder(sizes);
  const { make, graph } = encoder;
  let x = embedded(encoder, sizes);
  for (let i = 0; i < layers; i++) {
    const name = `layers.${i}`;
    if (words === undefined) {
      x = make.add(x, encoder.attention(encoder.norm(x, `${name}.norm1`), `${name}.attention`));
      x = make.add(x, encoder.perceptron(encoder.norm(x, `${name}.norm2`), `${name}.mlp`));
    } else {
      x = encoder.norm(make.add(x, encoder.attention(x, `${name}.attention`)), `${name}.norm1`);
      x = encoder.norm(make.add(x, encoder.perceptron(x, `${name}.mlp`)), `${name}.norm2`);
    }
  }
  if (words === undefined) x = encoder.norm(x, 'norm');
  const first = make.reshape(make.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]);
  const scores = encoder.linear(first, 'head', classes);
  const target = graph.input([batch, classes], { role: 'target' });
  const logarithms = graph.add({ op: 'LogSoftmax', inputs: [scores], shape: scores.shape });
  const loss = make.mul(make.reduce('Sum', make.mul(logarithms, target), [0, 1]), -1 / batch);
  const slopes = gradients(graph, loss, encoder.parameters);
  const outputs = encoder.weights.map(({ name }, i) => ({ role: 'gradient' as const, name, node: slopes[i]! }));
  const random = createRandom(2);
  const data = Float32Array.from({ length: batch * (words === undefined ? (tokens - 1) * patch! : tokens) }, () =>
    words === undefined ? random.normal() : random.below(words),
  );
  const oneHot = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) oneHot[i * classes + random.below(classes)] = 1;
  const linear =
    tokens * layers * (4 * width * width + 2 * width * hidden) + (patch ? (tokens - 1) * patch * width : 0);
  const attention = 2 * layers * heads * tokens * tokens * (width / heads);
  return {
    graph: graph.finish([{ role: 'loss', node: loss }, ...outputs]),
    weights: encoder.weights,
    data,
    target: oneHot,
    flops: 6 * batch * (linear + attention) - (patch ? 2 * batch * (tokens - 1) * patch * width : 0),
  };
}
