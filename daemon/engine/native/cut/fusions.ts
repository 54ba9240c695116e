import { type Graph, type Node, sameShape } from '../../../network/ir.js';
import { sizeOf } from '../../../protocol/shape.js';
import { leadRank } from '../layout.js';
import { productsOf, stridesThrough } from '../products.js';
import { sumsRows } from '../roles.js';
import { root, type Unit, Unsupported } from '../units.js';

/** Who reads each tensor, and what the graph gives. */
export interface Uses {
  readonly by: ReadonlyMap<Node, readonly Node[]>;
  readonly outputs: ReadonlySet<Node>;
}

/** Nodes that read each tensor, aliases seen through. */
export function usesOf(graph: Graph): Uses {
  const by = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    if (root(node) !== node) continue;
    for (const input of new Set(node.inputs.map(root))) {
      const users = by.get(input);
      if (users) users.push(node);
      else by.set(input, [node]);
    }
  }
  return { by, outputs: new Set(graph.outputs.map(({ node }) => root(node))) };
}

/** What is computed inside another node's unit, and units by the node that ends them. */
export interface Fusions {
  readonly inside: Set<Node>;
  readonly units: Map<Node, Unit>;
  /**
   * What nodes read instead of their inputs: Step(x) where there is relu(x) reads that, which is positive in the same places, so
   * that x need not be kept; a product reads what was transposed or sliced for it.
   */
  readonly replaced: Map<Node, readonly Node[]>;
}

/** What is computed inside a product or a convolution. @throws Unsupported */
export function fuse(graph: Graph, { by, outputs }: Uses): Fusions {
  const inside = new Set<Node>();
  const units = new Map<Node, Unit>();
  const replaced = new Map<Node, readonly Node[]>();
  const users = (node: Node) => by.get(node) ?? [];
  const hidden = (node: Node) => !outputs.has(node);

  for (const node of graph.nodes) {
    const activation = node.op === 'Step' && users(root(node.inputs[0]!)).find(({ op }) => op === 'Relu');
    if (activation && activation.id < node.id) replaced.set(node, [activation]);
  }

  /**
   * Whether a producer's result may stay inside the unit of its consumer: nobody else reads it, and the consumer reads it
   * as it is. A view of another shape has the same numbers, but other rows, columns and pixels.
   *
   * @param others readers that are content with what the unit keeps.
   */
  const canFuse = (producer: Node, consumer: Node, others: (user: Node) => boolean = () => false): boolean =>
    hidden(producer) &&
    users(producer).every((user) => user === consumer || others(user)) &&
    consumer.inputs.every((input) => root(input) !== producer || sameShape(input.shape, producer.shape));

  const isResult = (node: Node) => units.has(node);
  /** Views of another shape are what the strides of a result are made for. */
  const canBeTransposed = (result: Node, transpose: Node): boolean =>
    hidden(result) && users(result).every((user) => user === transpose);

  for (const node of graph.nodes) {
    if (node.op !== 'MatMul' && node.op !== 'Conv2D') continue;
    let result = node;
    let bias: Node | undefined;
    let relu = false;
    const [add] = users(node);
    const added = add?.op === 'Add' && canFuse(node, add) ? biasOf(add, node) : undefined;
    if (added) {
      [result, bias] = [add!, added];
      inside.add(node);
    }
    const activation = users(result).find(({ op }) => op === 'Relu');
    if (activation && canFuse(result, activation, (user) => replaced.get(user)?.[0] === activation)) {
      inside.add(result);
      [result, relu] = [activation, true];
    }
    const pool = users(result).find(({ op }) => op === 'MaxPool');
    const gradientOfPool = (user: Node) => user.op === 'MaxPoolGrad' && root(user.inputs[2]!) === pool && root(user.inputs[0]!) !== result; // prettier-ignore
    const common = { node, relu, ...(bias ? { bias } : {}) };
    if (node.op === 'Conv2D' && !relu && pool && unpadded(pool) && canFuse(result, pool, gradientOfPool)) {
      inside.add(result);
      units.set(pool, { kind: 'convolution', ...common, result: pool, pool });
    } else if (node.op === 'Conv2D') units.set(result, { kind: 'convolution', ...common, result });
    else {
      const [turned] = users(result);
      const strides = turned?.op === 'Transpose' && canBeTransposed(result, turned) ? stridesThrough(result, turned) : undefined; // prettier-ignore
      // Of a result in columns a bias would be one for each row.
      const through = strides && productsOf(node, isResult, strides, bias === undefined);
      if (through) inside.add(result);
      const products = through ?? productsOf(node, isResult);
      if (!products) throw new Unsupported(node, `: more than ${leadRank} leading axes`);
      replaced.set(node, [root(products.a.base), root(products.b.base)]);
      units.set(through ? turned! : result, { kind: 'gemm', ...common, result: through ? turned! : result, products });
    }
  }

  for (const node of graph.nodes) {
    if (node.op !== 'Conv2DBackpropFilter') continue;
    const dy = root(node.inputs[1]!);
    const bias = users(dy).find(
      (user) => user.op === 'Sum' && sumsRows(user) && sameShape(user.inputs[0]!.shape, dy.shape) && users(user).length === 0 && runsBefore(user, users(node)),
    ); // prettier-ignore
    const pooled = dy.op === 'MaxPoolGrad' && unpadded(dy) && canFuse(dy, node, (user) => user === bias);
    const anchor = bias && bias.id > node.id ? bias : node;
    if (pooled) inside.add(dy);
    if (bias) inside.add(anchor === bias ? node : bias);
    units.set(anchor, {
      kind: 'filterGradient',
      node,
      ...(bias ? { bias } : {}),
      ...(pooled ? { pool: dy } : {}),
    });
  }
  return { inside, units, replaced };
}

/** The weights that an addition adds to every row of a product, if that is all it does. */
function biasOf(add: Node, product: Node): Node | undefined {
  const [first, second] = add.inputs as [Node, Node];
  const other = root(first) === product ? second : first;
  const isRow = other.shape.at(-1) === lastDim(product) && sizeOf(other.shape) === lastDim(product);
  return isRow && root(other).op === 'Input' && sameShape(add.shape, product.shape) ? root(other) : undefined;
}

const lastDim = (node: Node): number => node.shape.at(-1) ?? 1;
/** A unit runs where its last node stands: before what reads its first one. */
const runsBefore = ({ id }: Node, readers: readonly Node[]): boolean => readers.every((reader) => reader.id > id);

const unpadded = (node: Node): boolean => (node.attrs['pads'] as readonly number[]).every((n) => n === 0);
