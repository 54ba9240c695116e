import { cutData } from '../../network/structure/cut.js';
import { UserError } from '../../protocol/errors.js';
import type { TensorChange } from '../file/editTensor.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../file/onnxModel.js';
import type { AttributeChange } from '../file/replaceTensors.js';
import { numbers, type NumberTensor } from '../lower/values/numberTensor.js';

/** By axis, the indices that are left; null: all of them. */
export type Cuts = readonly (readonly number[] | null)[];

/** A number of a constant of the file. */
interface Place {
  readonly constant: string;
  readonly index: number;
}

/** The constant that a node gives, as its attribute has it. */
const constantAttribute = ({ attributes }: OnnxNode): string | undefined =>
  ['value', 'value_ints', 'value_int'].find((name) => attributes.has(name));

/**
 * Changes of the constants of a file: initializers that are no weights, and Constant nodes. A shape may be put together from several
 * of them, and from sizes that the file computes: those follow by themselves.
 */
export class ConstantEdits {
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #elements = new Map<string, Map<number, number>>();
  readonly #cuts = new Map<string, Cuts>();

  /** @param known content of the values that are known without data. */
  constructor(
    private readonly graph: OnnxGraph,
    private readonly known: (name: string) => NumberTensor | undefined,
  ) {
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  }

  /**
   * Says what an element of a list of whole numbers has to be; what several readers say of one constant must agree.
   * @throws UserError('model-unsupported') where they do not.
   */
  want(name: string, index: number, value: number): void {
    const place = this.#placeOf(name, index);
    if (!place) return;
    const wanted = this.#elements.get(place.constant) ?? new Map<number, number>();
    this.#elements.set(place.constant, wanted);
    const before = wanted.get(place.index);
    if (before !== undefined && before !== value) throw shared(place.constant);
    wanted.set(place.index, value);
  }

  /** Leaves some indices of a constant; of one that the file computes, what it is computed of changes. */
  cut(name: string, cuts: Cuts): void {
    if (cuts.every((one) => one === null)) return;
    const node = this.#producers.get(name);
    const inputs = node?.inputs ?? [];
    const sizes = (at: string) => cuts.forEach((kept, axis) => kept && this.want(at, axis, kept.length));
    if (node && (node.op === 'Identity' || node.op === 'Cast')) return this.cut(inputs[0]!, cuts);
    if (node?.op === 'ConstantOfShape') return sizes(inputs[0]!);
    if (node?.op === 'Expand') {
      sizes(inputs[1]!);
      const dims = this.known(inputs[0]!)?.dims ?? [];
      const own = dims.map((n, axis) => (n === 1 ? null : (cuts[axis + cuts.length - dims.length] ?? null)));
      return this.cut(inputs[0]!, own);
    }
    if (node && node.op !== 'Constant') return;
    const before = this.#cuts.get(name);
    if (before && JSON.stringify(before) !== JSON.stringify(cuts)) throw shared(name);
    this.#cuts.set(name, cuts);
  }

  /** What the constants become. */
  changes(): {
    readonly initializers: Map<string, TensorChange>;
    readonly attributes: Map<OnnxNode, [string, AttributeChange]>;
  } {
    const initializers = new Map<string, TensorChange>();
    const attributes = new Map<OnnxNode, [string, AttributeChange]>();
    for (const name of new Set([...this.#elements.keys(), ...this.#cuts.keys()])) {
      const before = this.#contentOf(name);
      const elements = this.#elements.get(name) ?? new Map<number, number>();
      const cuts = this.#cuts.get(name);
      const same = [...elements].every(([index, value]) => before.data[index] === value);
      if (same && !cuts) continue;
      if (!same && cuts) throw shared(name);
      const kept = before.dims.map((n, axis) => cuts?.[axis] ?? Array.from({ length: n }, (_, i) => i));
      const values = cutData(
        before.data.map((x, i) => elements.get(i) ?? x),
        before.dims,
        kept,
      );
      const change = { dims: kept.map(({ length }) => length), values };
      const node = this.#producers.get(name);
      const attribute = node && constantAttribute(node);
      if (!node || !attribute) initializers.set(name, change);
      else
        attributes.set(node, [
          attribute,
          attribute === 'value' ? change : attribute === 'value_int' ? values[0]! : [...values],
        ]);
    }
    return { initializers, attributes };
  }

  #contentOf(name: string): NumberTensor {
    const tensor: OnnxTensor | undefined = this.graph.initializers.get(name);
    return tensor ? numbers(tensor.values(), tensor.dims, 'bool') : this.known(name)!;
  }

  /** Where the file says an element of a list; undefined: it computes it. */
  #placeOf(name: string, index: number): Place | undefined {
    const node = this.#producers.get(name);
    if (!node) return this.graph.initializers.has(name) ? { constant: name, index } : undefined;
    const [first = ''] = node.inputs;
    switch (node.op) {
      case 'Constant':
        return constantAttribute(node) === undefined ? undefined : { constant: name, index };
      case 'Identity':
      case 'Cast':
      case 'Unsqueeze':
      case 'Squeeze':
      case 'Reshape':
        return this.#placeOf(first, index);
      case 'Concat': {
        let from = 0;
        for (const input of node.inputs) {
          const count = this.known(input)?.data.length;
          if (count === undefined) return undefined;
          if (index < from + count) return this.#placeOf(input, index - from);
          from += count;
        }
        return undefined;
      }
      case 'Gather': {
        const at = this.known(node.inputs[1] ?? '')?.data[index];
        const length = this.known(first)?.data.length;
        return at === undefined || length === undefined ? undefined : this.#placeOf(first, at < 0 ? at + length : at);
      }
      default:
        return undefined;
    }
  }
}

const shared = (name: string): UserError =>
  new UserError(
    'model-unsupported',
    `operations that share the constant "${name.slice(0, 80)}" need different sizes once units are gone`,
  );
