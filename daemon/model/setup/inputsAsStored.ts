/** Which inputs of a model take values as they are stored: their first layers show which scale they expect. */
import { classOf } from '../layerClasses/registry.js';
import { field, isObject, type LayerJson } from '../layers/layerConfig.js';
import type { Topology } from '../model.js';
import { wiringOf, type Tensor } from '../normalise/wiring.js';

export interface AsStored {
  /** The layer or setting that shows it, in words: 'the layer "rescaling" (Rescaling)'. */
  readonly because: string;
  /** Whether the values are identifiers, not quantities: then not even a plan may rescale them. */
  readonly identifiers: boolean;
  /** For an input of an Embedding: its number of identifiers, counted from 0. */
  readonly count?: number;
}

const nameOf = ({ class_name, config }: LayerJson): string =>
  `the layer "${typeof config.name === 'string' ? config.name : class_name}" (${class_name})`;

/**
 * Per input of the model, in their order; null: it may have been trained on any scale. An input is taken as stored if an Embedding reads it, if its
 * topology gives it an integer type, or if a Rescaling, Normalization or BatchNormalization is the first layer to compute with it.
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
      // The first of those with the fewest identifiers.
      const count = Math.min(...counts);
      const because = nameOf(embeddings[Math.max(0, counts.indexOf(count))]!);
      return { because, identifiers: true, ...(count > 0 && { count }) };
    }
    const maker = wiring.calls.find(({ outputs }) => outputs.includes(tensor))?.node.layer;
    // A Sequential may declare it on its first layer.
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
