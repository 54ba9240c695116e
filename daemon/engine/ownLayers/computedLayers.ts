/**
 * Classes of layers that TensorFlow.js lacks, and settings that its own classes lack, computed by their records (model/layerClasses, `compute`). Does not import TensorFlow.js, because there
 * may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import type { ComputeMode, LayerClass } from '../../model/layerClasses/layerClass.js';
import { LAYER_CLASSES } from '../../model/layerClasses/registry.js';
import { isObject, numberAt, type Json } from '../../model/layers/layerConfig.js';
import { registerSetting } from './ownSetting.js';

type Computed = LayerClass & Required<Pick<LayerClass, 'compute' | 'shape'>>;

/** Marks layers that their records compute. */
const COMPUTED = Symbol('computed by its record');

/** Whether a built layer is computed by its record, so that nothing about TensorFlow.js's class holds for it. */
export const isComputedLayer = (layer: object): boolean => COMPUTED in layer;

const isComputed = (record: LayerClass): record is Computed => Boolean(record.compute && record.shape);

/** A layer has one input, or a list of them. */
const shapesIn = (shape: Layers.Shape | Layers.Shape[]): Layers.Shape[] =>
  (Array.isArray(shape[0]) ? shape : [shape]) as Layers.Shape[];

/** The penalty of a weight ("query/kernel", "depthwise_kernel"), which the reader has converted to an L1L2; undefined: it has none. */
function regularizerOf(layers: typeof Layers, config: Json, weight: string) {
  const own = weight.split('/').at(-1)!;
  const given = config[`${own.replace(/_kernel$/, '')}Regularizer`];
  if (!isObject(given) || !isObject(given['config'])) return undefined;
  const [l1, l2] = [numberAt(given['config'], 'l1') ?? 0, numberAt(given['config'], 'l2') ?? 0];
  return layers.regularizers.l1l2({ l1, l2 });
}

function computedClass(core: typeof Core, layers: typeof Layers, className: string, record: Computed) {
  return class ComputedLayer extends layers.layers.Layer {
    /** TensorFlow.js reads the class's name here. */
    static readonly className = className;
    readonly [COMPUTED] = true;
    private readonly own: Record<string, Layers.LayerVariable> = {};

    constructor(private readonly settings: Json) {
      super(settings as object);
    }

    override build(inputShape: Layers.Shape | Layers.Shape[]): void {
      const inputs = shapesIn(inputShape).map(([, ...shape]) => shape);
      const problem = record.problem?.(this.settings, inputs[0]!, inputs);
      if (problem) throw new Error(`${this.name} ${problem}`);
      const zeros = layers.initializers.zeros();
      for (const { name, shape, statistic } of record.weights?.(this.settings, inputs[0]!, () => [], inputs) ?? []) {
        if (shape.includes(null)) throw new Error(`${this.name} has weights along an axis of open size`);
        const regularizer = regularizerOf(layers, this.settings, name);
        this.own[name] = this.addWeight(name, [...(shape as number[])], 'float32', zeros, regularizer, !statistic);
      }
      super.build(inputShape);
    }

    override computeOutputShape(inputShape: Layers.Shape | Layers.Shape[]): Layers.Shape | Layers.Shape[] {
      const shapes = shapesIn(inputShape);
      const outputs = record.shape(this.settings, shapes.map(([, ...shape]) => shape), () => []); // prettier-ignore
      if (outputs.includes(null))
        throw new Error(`${this.name} does not take an input of [${shapes.map(String).join('], [')}]`);
      const batched = outputs.map((output): Layers.Shape => [shapes[0]![0]!, ...output!]);
      return batched.length === 1 ? batched[0]! : batched;
    }

    override call(inputs: Core.Tensor | Core.Tensor[], kwargs: Json): Core.Tensor | Core.Tensor[] {
      return core.tidy(() => {
        const weights = Object.fromEntries(Object.entries(this.own).map(([name, weight]) => [name, weight.read()]));
        const given = kwargs['mask'] as ComputeMode['masks'] | Core.Tensor | undefined;
        const mode = { training: kwargs['training'] === true, masks: given ? [given].flat() : [] };
        return record.compute(core, this.settings, [inputs].flat(), weights, mode);
      });
    }

    override getConfig(): Core.serialization.ConfigDict {
      return { ...super.getConfig(), ...(this.settings as Core.serialization.ConfigDict) };
    }
  };
}

/** Registers layers of every class with a `compute` of its own with an instance; for a class that TensorFlow.js has, those of some configs. */
export function registerComputedLayers(core: typeof Core, layers: typeof Layers): void {
  for (const [name, record] of Object.entries(LAYER_CLASSES))
    if (isComputed(record)) {
      const own = computedClass(core, layers, name, record);
      if (record.computes) registerSetting<Layers.layers.Layer>(core, name, record.computes, () => own);
      else core.serialization.registerClass(own as never);
    }
}
