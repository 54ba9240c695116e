/** ConvLSTM2D: an LSTM over images, whose products are convolutions. */
import { all, FILTERS, layer, SAME_OR_VALID, SEED, windows } from '../../keras3/arguments.js';
import { flag } from '../../keras3/values.js';
import { field } from '../../layers/layerConfig.js';
import type { Shape } from '../../layers/shape.js';
import { convolutionSettings } from '../convolutions/settings.js';
import type { LayerClass } from '../layerClass.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, product, withBias } from '../rules/weights.js';
import { FORGET, GATED, GATES, hardLstmGates } from './gated.js';

const frameShape = convolved(2, filters);

export const CONV_LSTM = {
  ConvLSTM2D: {
    recurrent: true,
    takesStates: true,
    settings: convolutionSettings(),
    shape(config, [input], of) {
      if (!input || input.length !== 4) return [null];
      const [frame] = frameShape(config, [input.slice(1)], of);
      if (!frame) return [null];
      const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, ...frame] : frame;
      return field(config, 'return_state') === true ? [output, frame, frame] : [output];
    },
    weights(config, input) {
      const [frame] = frameShape(config, [input?.slice(1) ?? null], () => []);
      const uses = (input?.[0] ?? 1) * positionsOf(config, frame);
      const width = product(filters(config), 4);
      const features = channelsIn(config, input?.slice(1) ?? null);
      return [
        kernel('kernel', [...kernelSize(config, 2), features, width], uses),
        kernel('recurrent_kernel', [...kernelSize(config, 2), filters(config), width], uses),
        ...withBias(config, width),
      ];
    },
    initial: { kernel_initializer: {}, recurrent_initializer: {}, unit_forget_bias: false },
    hardGates: hardLstmGates,
    mask: 'steps',
    maskInTfjs: 'reads',
    // The convolutions inside are correct, but in a layout without kernels in compiled engines.
    channelsFirst: {
      permutation: (config) => [[1, 3, 4, 2], field(config, 'return_sequences') === true ? [1, 4, 2, 3] : [3, 1, 2]],
    },
    keras: layer({
      ...FILTERS,
      ...windows(2, SAME_OR_VALID),
      ...GATED,
      ...GATES,
      ...FORGET,
      ...all(['return_sequences', 'return_state', 'go_backwards', 'stateful'], flag),
      ...SEED,
    }),
    groups: () => ['cell'],
  },
} satisfies Record<string, LayerClass>;
