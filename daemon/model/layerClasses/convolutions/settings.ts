/** Settings of convolutions that Keras does not have. */
import { stringAt, type Json } from '../../layers/layerConfig.js';
import type { Refuse } from '../../layers/refuse.js';
import { again } from '../rules/settings.js';
import { isWide } from './computed.js';

/** @param unless another case that the class supports. */
export const convolutionSettings =
  (unless: { causal?: true; ungrouped?: true } = {}) =>
  (config: Json, refuse: Refuse): void => {
    if (unless.ungrouped && isWide(config, 'groups'))
      refuse(`has groups, which Keras does not have for its class; ${again}`);
    if (stringAt(config, 'padding') === 'causal' && !unless.causal)
      refuse(`has causal padding, which there is for sequences alone; ${again}`);
  };
