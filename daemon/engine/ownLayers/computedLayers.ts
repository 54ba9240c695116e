/**
 * Classes of layers that TensorFlow.js lacks, computed by their records (model/layerClasses, `compute`). Does not import TensorFlow.js, because there
 * may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import type { LayerClass } from '../../model/layerClasses/layerClass.js';
import { LAYER_CLASSES } from '../../model/layerClasses/registry.js';
import { isObject, numberAt, type Json } from '../../model/layers/layerConfig.js';

type Computed = LayerClass & Required<Pick<LayerClass, 'compute' | 'shape'>>;

const isComputed = (record: LayerClass): record is Computed => Boolean(record.compute && record.shape);

/** A layer has one input, or a list of them. */
const shapesIn = (shape: Layers.Shape | Layers.Shape[]): Layers.Shape[] =>
  (Array.isArray(shape[0]) ? shape : [shape]) as Layers.Shape[];

/** The penalty of a weight, which the reader has converted to an L1L2; undefined: it has none. */
function regularizerOf(layers: typeof Layers, config: Json, weight: string) {
  const given = config[`${weight}Regularizer`];
  if (!isObject(given) || !isObject(given['config'])) return undefined;
  const [l1, l2] = [numberAt(given['config'], 'l1') ?? 0, numberAt(given['config'], 'l2') ?? 0];
  return layers.regularizers.l1l2({ l1, l2 });
}

function register(core: typeof Core, layers: typeof Layers, className: string, record: Computed): void {
  class ComputedLayer extends layers.layers.Layer {
    /** TensorFlow.js reads the class's name here. */
    static readonly className = className;
    private readonly own: Record<string, Layers.LayerVariable> = {};

    constructor(private readonly told: Json) {
      super(told as object);
    }

    override build(inputShape: Layers.Shape | Layers.Shape[]): void {
      const [, ...input] = shapesIn(inputShape)[0]!;
      const problem = record.problem?.(this.told, input);
      if (problem) throw new Error(`${this.name} ${problem}`);
      const zeros = layers.initializers.zeros();
      for (const { name, shape, statistic } of record.weights?.(this.told, input, () => []) ?? []) {
        if (shape.includes(null)) throw new Error(`${this.name} has weights along an axis of open size`);
        const regularizer = regularizerOf(layers, this.told, name);
        this.own[name] = this.addWeight(name, [...(shape as number[])], 'float32', zeros, regularizer, !statistic);
      }
      super.build(inputShape);
    }

    override computeOutputShape(inputShape: Layers.Shape | Layers.Shape[]): Layers.Shape {
      const shapes = shapesIn(inputShape);
      const [output] = record.shape(this.told, shapes.map(([, ...shape]) => shape), () => []); // prettier-ignore
      if (!output) throw new Error(`${this.name} does not take an input of [${shapes.map(String).join('], [')}]`);
      return [shapes[0]![0]!, ...output];
    }

    override call(inputs: Core.Tensor | Core.Tensor[]): Core.Tensor {
      return core.tidy(() => {
        const weights = Object.fromEntries(Object.entries(this.own).map(([name, weight]) => [name, weight.read()]));
        return record.compute(core, this.told, [inputs].flat(), weights);
      });
    }

    override getConfig(): Core.serialization.ConfigDict {
      return { ...super.getConfig(), ...(this.told as Core.serialization.ConfigDict) };
    }
  }
  core.serialization.registerClass(ComputedLayer as never);
}

/** Registers layers of every class with a `compute` of its own with an instance. */
export function registerComputedLayers(core: typeof Core, layers: typeof Layers): void {
  for (const [name, record] of Object.entries(LAYER_CLASSES))
    if (isComputed(record)) register(core, layers, name, record);
}
