/** Operations as layers of TensorFlow.js, for each instance of it. Does not import TensorFlow.js, because there may be several. */
import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import type { OperationConfig } from '../../model/operations/operation.js';
import { OPERATION } from '../../model/operations/operation.js';
import { operationNamed } from '../../model/operations/operations.js';

type Shape = Layers.Shape;

const registered = new WeakSet<object>();

/** Registers the layers of class Operation with an instance, once. */
export function registerOperations(core: typeof Core, layers: typeof Layers): void {
  if (registered.has(layers)) return;
  registered.add(layers);

  class Operation extends layers.layers.Layer {
    /** TensorFlow.js reads the class's name here. */
    static readonly className = OPERATION;
    private readonly told: OperationConfig;

    constructor(config: OperationConfig) {
      super(config as object);
      this.told = config;
    }

    override computeOutputShape(inputShape: Shape | Shape[]): Shape {
      const given = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
      const shape = operationNamed(this.told.operation)!.shape(given.map((one) => one.slice(1)), this.told); // prettier-ignore
      if (!shape) throw new Error(`${this.name}: its inputs do not fit the operation ${this.told.operation}`);
      return [given[0]![0]!, ...shape];
    }

    override call(inputs: Core.Tensor | Core.Tensor[]): Core.Tensor {
      const tensors = [inputs].flat();
      let next = 0;
      return core.tidy(() =>
        operationNamed(this.told.operation)!.compute(
          core,
          this.told.operands.map((operand) => (operand === null ? core.cast(tensors[next++]!, 'float32') : core.scalar(operand))),
          this.told.settings,
        ),
      );
    }

    override getConfig(): Core.serialization.ConfigDict {
      return { ...super.getConfig(), ...(this.told as object) };
    }
  }
  core.serialization.registerClass(Operation as never);
} // prettier-ignore
