/** Keras's Normalization as a layer of TensorFlow.js. No import of TensorFlow.js: there may be several instances of it. */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import type { Json } from '../../model/layers/layerConfig.js';
import { givenStatistics, keptAxes, LEAST_DEVIATION, placedStatistics } from '../../model/layerClasses/normalisation/statistics.js';

/** Has an instance build layers of class Normalization. */
export function registerNormalization(core: typeof Core, layers: typeof Layers): void {
  class Normalization extends layers.layers.Layer {
    /** TensorFlow.js looks it up here. */
    static readonly className = 'Normalization';
    private statistics: readonly [mean: Layers.LayerVariable, variance: Layers.LayerVariable] | null = null;

    constructor(private readonly told: Json) {
      super(told as object);
    }

    private fail(problem: string): never {
      throw new Error(`${this.name} ${problem}`);
    }

    override build(inputShape: Layers.Shape | Layers.Shape[]): void {
      const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Layers.Shape;
      const axes = keptAxes(this.told, shape.length) ?? this.fail('normalises an axis that its input does not have');
      if (!givenStatistics(this.told, (problem) => this.fail(problem))) {
        const sizes = axes.map((axis) => shape[axis] ?? this.fail('normalises an axis of open size'));
        const zeros = layers.initializers.zeros();
        const state = (name: string, of: number[]) => this.addWeight(name, of, 'float32', zeros, undefined, false);
        this.statistics = [state('mean', sizes), state('variance', sizes)];
        // What was adapted to how many samples: Keras keeps it for its old files.
        state('count', []);
      }
      super.build(inputShape);
    }

    override call(inputs: Core.Tensor | Core.Tensor[]): Core.Tensor {
      return core.tidy(() => {
        const x = [inputs].flat()[0]!;
        const axes = keptAxes(this.told, x.rank)!;
        const placed = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
        const given = givenStatistics(this.told, (problem) => this.fail(problem));
        const [mean, variance] = given
          ? [given.mean, given.variance].map((statistic) => {
              const values = core.tensor(statistic as number[]);
              return core.reshape(values, [...placedStatistics(values.shape, axes, x.rank)]);
            })
          : this.statistics!.map((statistic) => core.reshape(statistic.read(), placed));
        const deviation = core.maximum(core.sqrt(variance!), LEAST_DEVIATION);
        return this.told['invert'] === true
          ? core.add(core.mul(x, deviation), mean!)
          : core.div(core.sub(x, mean!), deviation);
      });
    }

    override getConfig(): Core.serialization.ConfigDict {
      const { axis = -1, invert = false, mean = null, variance = null } = this.told;
      return { ...super.getConfig(), ...({ axis, invert, mean, variance } as object) };
    }
  }
  core.serialization.registerClass(Normalization as never);
}
