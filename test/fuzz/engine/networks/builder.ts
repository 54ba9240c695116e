/** Puts layers together into a topology, within bounds of work and memory; a layer that does not fit is not added. */
import type { Random } from '../../../../daemon/lc/random.js';
import type { Json, LayerJson } from '../../../../daemon/model/layers/layerConfig.js';
import { outputShapes } from '../../../../daemon/model/layers/layerShapes.js';
import { layerWeights } from '../../../../daemon/model/layers/layerWeights.js';
import type { Topology } from '../../../../daemon/model/model.js';

/** A tensor of the network: which call of which layer makes it, and its shape without the batch. */
export interface Tensor {
  readonly layer: string;
  readonly call: number;
  readonly shape: readonly number[];
}

export interface Limits {
  /** Multiplications of a forward pass over the batch. */
  readonly products: number;
  /** Numbers in a tensor of the batch. */
  readonly numbers: number;
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;
export const chance = (random: Random, p: number): boolean => random.next() < p;

/** Sizes at and around those where kernels change their ways: vectors of 8 and 16, tiles, the 256 places of a byte. */
export function anySize(random: Random, atMost = 257): number {
  const sizes = chance(random, 0.72) ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : chance(random, 0.75) ? [10, 12, 15, 16, 17, 31, 32, 33] : [63, 64, 65, 128, 255, 256, 257]; // prettier-ignore
  const fitting = sizes.filter((n) => n <= atMost);
  return fitting.length > 0 ? pick(random, fitting) : 1 + random.below(atMost);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export class Builder {
  readonly layers: LayerJson[] = [];
  readonly #inputs: string[] = [];
  readonly #calls = new Map<string, number>();
  #products = 0;

  constructor(
    readonly random: Random,
    readonly batchSize: number,
    private readonly limits: Limits,
  ) {}

  get inputs(): readonly string[] {
    return this.#inputs;
  }

  #name(className: string): string {
    return `${className.toLowerCase()}_${this.layers.length}`;
  }

  input(shape: readonly number[]): Tensor {
    const name = this.#name('Input');
    this.layers.push({
      class_name: 'InputLayer',
      name,
      config: { name, batch_input_shape: [null, ...shape], dtype: 'float32', sparse: false },
      inbound_nodes: [],
    } as LayerJson);
    this.#inputs.push(name);
    this.#calls.set(name, 1);
    return { layer: name, call: 0, shape };
  }

  #fits(layer: LayerJson, inputs: readonly Tensor[]): readonly number[] | undefined {
    const [shape] = outputShapes(layer, inputs.map((tensor) => tensor.shape)); // prettier-ignore
    if (!shape || shape.some((n) => n === null || n < 1)) return undefined;
    const known = shape as readonly number[];
    const products = layerWeights(layer, '', inputs[0]!.shape).reduce((sum, { shape: own, uses }) => sum + uses * sizeOf(own as number[]), 0); // prettier-ignore
    if (this.batchSize * sizeOf(known) > this.limits.numbers) return undefined;
    if (this.#products + this.batchSize * products > this.limits.products) return undefined;
    this.#products += this.batchSize * products;
    return known;
  }

  /** @returns undefined, and adds nothing, if the layer does not accept such inputs or the network would be too large. */
  add(className: string, config: Json, ...inputs: Tensor[]): Tensor | undefined {
    const name = this.#name(className);
    const layer: LayerJson = { class_name: className, name, config: { name, trainable: true, ...config } };
    const shape = this.#fits(layer, inputs);
    if (!shape) return undefined;
    layer.inbound_nodes = [this.#call(inputs)];
    this.layers.push(layer);
    this.#calls.set(name, 1);
    return { layer: name, call: 0, shape };
  }

  #call(inputs: readonly Tensor[]): unknown[] {
    return inputs.map((tensor) => [tensor.layer, tensor.call, 0, {}]);
  }

  /** Calls a layer again, on inputs of the same shape as the first time. */
  again(tensor: Tensor, ...inputs: Tensor[]): Tensor | undefined {
    const layer = this.layers.find(({ name }) => name === tensor.layer)!;
    const shape = this.#fits(layer, inputs);
    if (!shape) return undefined;
    const call = this.#calls.get(tensor.layer)!;
    (layer.inbound_nodes as unknown[]).push(this.#call(inputs));
    this.#calls.set(tensor.layer, call + 1);
    return { layer: tensor.layer, call, shape };
  }

  /** The model with these outputs, without layers that none of them needs. */
  topology(outputs: readonly Tensor[]): Topology {
    const known = new Map(this.layers.map((layer) => [layer.name as string, layer]));
    const needed = new Set<string>(this.#inputs);
    const stack = outputs.map(({ layer }) => layer);
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      const calls = known.get(name)!.inbound_nodes as [string, number, number, object][][];
      stack.push(...calls.flat().map(([from]) => from));
    }
    const layers = this.layers.filter(({ name }) => needed.has(name as string));
    const ends = (tensors: readonly { layer: string; call: number }[]) => tensors.map(({ layer, call }) => [layer, call, 0]); // prettier-ignore
    return (
      asSequential(layers, outputs, this.#inputs) ?? {
        class_name: 'Model',
        config: {
          name: 'network',
          layers,
          input_layers: ends(this.#inputs.map((layer) => ({ layer, call: 0 }))),
          output_layers: ends(outputs),
        },
      }
    );
  }
}

/** The same as a Sequential model if it is one chain. */
function asSequential(
  layers: readonly LayerJson[],
  outputs: readonly Tensor[],
  inputs: readonly string[],
): Topology | undefined {
  if (inputs.length !== 1 || outputs.length !== 1 || layers.length < 2 || layers.length % 2 === 0) return undefined;
  const chain = layers.every(({ inbound_nodes }, i) => {
    const calls = inbound_nodes as [string][][];
    return i === 0 ? calls.length === 0 : calls.length === 1 && calls[0]!.length === 1 && calls[0]![0]![0] === layers[i - 1]!.name; // prettier-ignore
  });
  if (!chain || layers.at(-1)!.name !== outputs[0]!.layer) return undefined;
  const shape = layers[0]!.config['batch_input_shape'];
  const bare = layers.slice(1).map(({ class_name, config }, i): LayerJson => ({
    class_name,
    config: i === 0 ? { ...config, batch_input_shape: shape, dtype: 'float32' } : config,
  })); // prettier-ignore
  return { class_name: 'Sequential', config: { name: 'network', layers: bare } };
}
