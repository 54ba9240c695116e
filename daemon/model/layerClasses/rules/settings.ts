/** Rejects settings that change the result and that TensorFlow.js ignores. */
import type { Refuse } from '../../layers/refuse.js';

export const again = 'change the layer and save the model again';

/** @param setting "a negative_slope". @param instead the way out. */
export const ignored = (refuse: Refuse, setting: string, instead: string): never =>
  refuse(`has ${setting}, which TensorFlow.js ignores; ${instead}`);
