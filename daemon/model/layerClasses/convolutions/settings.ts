/** Settings of convolutions that TensorFlow.js ignores. */
import { field, stringAt, type Json } from '../../layers/layerConfig.js';
import { again, ignored } from '../rules/settings.js';
import type { Refuse } from '../../layers/refuse.js';

const allOnes = (config: Json, key: string): boolean => {
  const value = field(config, key);
  return value == null || (Array.isArray(value) ? (value as unknown[]) : [value]).every((item) => item === 1);
};

/** @param unless another case that the class supports, or a setting it lacks. */
export const convolutionSettings =
  (unless: { causal?: true; dilated?: false; outputPadding?: false } = {}) =>
  (config: Json, refuse: Refuse): void => {
    if (!allOnes(config, 'groups')) ignored(refuse, 'groups other than 1', again);
    if (unless.dilated === false && !allOnes(config, 'dilation_rate')) ignored(refuse, 'a dilation_rate', again);
    if (unless.outputPadding === false && field(config, 'output_padding') != null) ignored(refuse, 'output_padding', again); // prettier-ignore
    if (stringAt(config, 'padding') === 'causal' && !unless.causal)
      refuse(`has causal padding, which there is for Conv1D alone; ${again}`);
  };
