/** A recurrent layer over masked steps (Keras 3.15, keras/src/backend/tensorflow/rnn.py). */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { allLayers } from '../layerTree.js';
import { refuse } from './refuse.js';

type Tensor = Core.Tensor;
type Layer = layers.Layer;

interface Recurrent {
  readonly cell: Layer;
  readonly goBackwards: boolean;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly stateful: boolean;
  readonly unroll: boolean;
  readonly states_: Tensor[];
  getInitialState(x: Tensor): Tensor[];
  resetStates(states: Tensor[], training: boolean): void;
}

/** Whether a call's inputs after the first one are initial states. */
export const takesStates = (layer: Layer): boolean =>
  'getInitialState' in layer || layer.getClassName() === 'Bidirectional';

/** Cells keep their dropout masks from one pass to the next, which may have another batch. */
function forgetDropout(tf: typeof Core, cell: Layer): void {
  for (const inner of allLayers([cell])) {
    const kept = inner as unknown as Record<'dropoutMask' | 'recurrentDropoutMask', Tensor | Tensor[] | null>;
    for (const name of ['dropoutMask', 'recurrentDropoutMask'] as const) {
      if (kept[name] != null) tf.dispose(kept[name]);
      kept[name] = null;
    }
  }
}

/**
 * At a masked step the states do not change, and the output is that of the step before: 0 before the first step that counts, and with `zeroOutput` at
 * every masked step. TensorFlow.js returns the first state instead, which is not the output of stacked cells.
 * @param x [batch, time, ...], @param mask [batch, time] of 0 and 1.
 */
export function maskedRecurrence(
  tf: typeof Core,
  layer: Layer,
  x: Tensor,
  mask: Tensor,
  kwargs: Readonly<Record<string, unknown>>,
  zeroOutput: boolean,
): Tensor | Tensor[] {
  if (mask.rank !== 2)
    refuse(layer, `takes a mask of ${mask.rank} axes, where Keras needs one of samples and steps; mask whole steps`);
  return tf.tidy(() => {
    const recurrent = layer as unknown as Recurrent;
    const { cell, goBackwards, returnSequences, returnState, stateful, unroll } = recurrent;
    // Keras's backends differ there: each puts the zeros at another place, or nowhere.
    if (unroll && zeroOutput) refuse(layer, 'gives zeros at masked steps with unroll=True, on which the backends of Keras differ; set unroll=False'); // prettier-ignore
    const training = kwargs['training'] === true;
    forgetDropout(tf, cell);
    let states = stateful ? recurrent.states_ : recurrent.getInitialState(x);
    const steps = tf.unstack(x, 1);
    const counts = tf.unstack(mask, 1);
    const order = [...steps.keys()];
    if (goBackwards) order.reverse();
    const outputs: Tensor[] = [];
    for (const t of order) {
      const [output, ...next] = cell.call([steps[t]!, ...states], { training }) as [Tensor, ...Tensor[]];
      const chosen = (now: Tensor, before: Tensor | undefined): Tensor => {
        const one = tf.reshape(counts[t]!, [counts[t]!.shape[0]!, ...Array<number>(now.rank - 1).fill(1)]);
        const kept = tf.mul(now, one);
        return before ? tf.add(kept, tf.mul(before, tf.sub(1, one))) : kept;
      };
      outputs.push(chosen(output, zeroOutput ? undefined : outputs.at(-1)));
      states = states.map((before, i) => chosen(next[i]!, before));
    }
    if (stateful) recurrent.resetStates(states, training);
    const given = returnSequences ? tf.stack(outputs, 1) : outputs.at(-1)!;
    return returnState ? [given, ...states] : given;
  });
}
