/** Which inputs of a model take values as they are stored: what comes first there says what scale it wants. */
import { classOf } from '../layerClasses/registry.js';
import { field, isObject, type LayerJson } from '../layers/layerConfig.js';
import type { Topology } from '../model.js';
import { wiringOf, type Tensor } from '../normalise/wiring.js';

export interface AsStored {
  /** The layer or setting that says so, in words: 'the layer "rescaling" (Rescaling)'. */
  readonly because: string;
  /** Whether the values are names of things, not quantities: then no plan may rescale them either. */
  readonly identifiers: boolean;
  /** Of an input that an Embedding reads: how many identifiers it knows, counted from 0. */
  readonly count?: number;
}

const nameOf = ({ class_name, config }: LayerJson): string =>
  `the layer "${typeof config.name === 'string' ? config.name : class_name}" (${class_name})`;

/**
 * Per input of the model, in their order; null: any scale may be what it was trained on. An input is taken as stored where
 * an Embedding reads it or its topology says that it holds whole numbers, and where a Rescaling, Normalization or
 * BatchNormalization is the first to compute with it.
 */
export function inputsAsStored(topology: Topology): (AsStored | null)[] {
  const wiring = wiringOf(topology);

  function readersOf(tensor: Tensor, seen: Set<number>): LayerJson[] {
    if (seen.has(tensor.id)) return [];
    seen.add(tensor.id);
    return wiring.calls
      .filter(({ inputs }) => inputs.includes(tensor))
      .flatMap((call) => {
        const { layer } = call.node;
        const inner =
          layer.class_name === 'TimeDistributed' && isObject(layer.config.layer) ? layer.config.layer : null;
        const reader = inner && typeof inner.class_name === 'string' ? (inner as unknown as LayerJson) : layer;
        return classOf(reader.class_name)?.onInput === 'moves'
          ? call.outputs.flatMap((out) => readersOf(out, seen))
          : [reader];
      });
  }

  return wiring.inputs.map((tensor) => {
    const readers = readersOf(tensor, new Set());
    const embeddings = readers.filter(({ class_name }) => class_name === 'Embedding');
    if (embeddings.length > 0) {
      const counts = embeddings.map(({ config }) => Number(config.input_dim ?? config.inputDim));
      // The first of those that know the fewest.
      const count = Math.min(...counts);
      const because = nameOf(embeddings[Math.max(0, counts.indexOf(count))]!);
      return { because, identifiers: true, ...(count > 0 && { count }) };
    }
    const maker = wiring.calls.find(({ outputs }) => outputs.includes(tensor))?.node.layer;
    // A Sequential may say so on its first layer.
    const dtype = maker
      ? field(maker.config, 'dtype')
      : wiring.calls.filter(({ inputs }) => inputs.includes(tensor)).map((call) => call.node.layer)
          .find(({ class_name }) => class_name === 'InputLayer')?.config.dtype; // prettier-ignore
    if (typeof dtype === 'string' && /^u?int\d*$/.test(dtype))
      return { because: `its data type ${dtype} in the model`, identifiers: true };
    const first = readers.length > 0 && readers.every(({ class_name }) => classOf(class_name)?.onInput === 'scales');
    return first ? { because: nameOf(readers[0]!), identifiers: false } : null;
  });
}
