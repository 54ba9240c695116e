/**
 * GRU with reset_after=True, Keras's default (keras.io/api/layers/recurrent_layers/gru): the reset gate applies to the product with the state, which
 * has a bias of its own. Does not import TensorFlow.js, because there may be several instances of it.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Json } from '../../model/layers/layerConfig.js';
import { registerSetting, type ClassOf } from './ownSetting.js';

type Tensor = Core.Tensor;
type AddWeight = Parameters<tfl.layers.Layer['addWeight']>;

/** The parts of TensorFlow.js's cell that are used here. */
interface Cell extends tfl.layers.Layer {
  readonly units: number;
  readonly activation: { apply(x: Tensor): Tensor };
  readonly recurrentActivation: { apply(x: Tensor): Tensor };
  useBias: boolean;
  readonly biasInitializer: AddWeight[3];
  readonly biasRegularizer: AddWeight[4];
  readonly biasConstraint: AddWeight[6];
  readonly kernel: tfl.LayerVariable;
  readonly recurrentKernel: tfl.LayerVariable;
  bias: tfl.LayerVariable | null;
  readonly dropout: number;
  readonly recurrentDropout: number;
  readonly implementation: number | undefined;
  /** The same for every step; the layer resets them before each pass. */
  dropoutMask: Tensor[] | null;
  recurrentDropoutMask: Tensor[] | null;
}

const resetAfter = (core: typeof Core) => (GRUCell: ClassOf<Cell>): ClassOf<Cell> =>
  class extends GRUCell {
    constructor(config: Json) {
      super({ ...config, resetAfter: false });
    }

    override build(inputShape: tfl.Shape | tfl.Shape[]): void {
      const { useBias, units, biasInitializer, biasRegularizer, biasConstraint } = this;
      // The bias of the class above has one row.
      this.useBias = false;
      super.build(inputShape);
      this.useBias = useBias;
      if (useBias) this.bias = this.addWeight('bias', [2, 3 * units], 'float32', biasInitializer, biasRegularizer, true, biasConstraint);
    }

    /** Dropout masks; none if nothing is dropped. Keras has one for all gates, or one for each of the three. */
    private masks(kept: Tensor[] | null, x: Tensor, rate: number, training: boolean): Tensor[] {
      if (!training || rate <= 0 || rate >= 1) return [];
      const count = this.recurrentDropout > 0 || this.implementation === 1 ? 3 : 1;
      return kept ?? Array.from({ length: count }, () => core.keep(core.dropout(core.onesLike(x), rate)));
    }

    /** x times the columns of each gate, plus its bias. */
    private gates(x: Tensor, kernel: Tensor, row: 0 | 1, masks: readonly Tensor[]): [z: Tensor, r: Tensor, h: Tensor] {
      const { units } = this;
      const product =
        masks.length > 1
          ? core.concat(masks.map((mask, gate) => core.matMul(core.mul(x, mask), core.slice(kernel, [0, gate * units], [kernel.shape[0]!, units]))), 1)
          : core.matMul(masks[0] ? core.mul(x, masks[0]) : x, kernel as Core.Tensor2D);
      const bias = this.bias && core.reshape(core.slice(this.bias.read(), [row, 0], [1, 3 * units]), [3 * units]);
      return core.split(bias ? core.add(product, bias) : product, 3, 1) as [Tensor, Tensor, Tensor];
    }

    override call(inputs: Tensor | Tensor[], kwargs: Json): Tensor[] {
      return core.tidy(() => {
        const [x, h] = inputs as [Tensor, Tensor];
        const training = kwargs['training'] === true;
        const given = this.masks(this.dropoutMask, x, this.dropout, training);
        const state = this.masks(this.recurrentDropoutMask, h, this.recurrentDropout, training);
        Object.assign(this, { dropoutMask: given.length > 0 ? given : null, recurrentDropoutMask: state.length > 0 ? state : null });
        const [xz, xr, xh] = this.gates(x, this.kernel.read(), 0, given);
        const [hz, hr, hh] = this.gates(h, this.recurrentKernel.read(), 1, state);
        const z = this.recurrentActivation.apply(core.add(xz, hz));
        const r = this.recurrentActivation.apply(core.add(xr, hr));
        const candidate = this.activation.apply(core.add(xh, core.mul(r, hh)));
        const next = core.add(core.mul(z, h), core.mul(core.sub(1, z), candidate));
        return [next, next];
      });
    }

    override getConfig(): Core.serialization.ConfigDict {
      return { ...super.getConfig(), resetAfter: true };
    }
  }; // prettier-ignore

const asks = (config: Json): boolean => config['resetAfter'] === true;

/** Registers GRU and GRUCell with reset_after=True with an instance. */
export function registerResetAfterGru(core: typeof Core): void {
  let cellOf!: (config: Json) => Cell;
  registerSetting<Cell>(core, 'GRUCell', asks, (GRUCell) => {
    const Own = resetAfter(core)(GRUCell);
    cellOf = (config) => new Own(config);
    return Own;
  });
  registerSetting<tfl.RNN>(
    core,
    'GRU',
    asks,
    (GRU) =>
      class extends GRU {
        constructor(config: Json) {
          super({ ...config, resetAfter: false });
          Object.assign(this, { cell: cellOf(config) });
        }
      },
  );
}
