/** ZeroPadding1D, ZeroPadding2D and ZeroPadding3D. */
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { borders } from '../../keras3/values.js';
import { channelsFirst, type Json } from '../../layers/layerConfig.js';
import type { LayerClass, Left } from '../layerClass.js';
import { bordered, type Border, borderProblem, bordersOf, ofAllAxes } from './borders.js';

/**
 * With channels first it pads axes 2 and 3, which in a channels-last tensor are the width and the channels: the zero channels of a parameter-free
 * shortcut (He et al. 2016, option A), which can be removed like any other. Rows and columns stay.
 */
function resize(config: Json, { output, input }: Left): void {
  if (!channelsFirst(config)) return;
  const [across, [before]] = bordersOf(config, 'padding', 2, 1) as [Border, Border];
  const kept = output.at(-1)!;
  const first = kept.filter((index) => index < before).length;
  config['padding'] = [across, [first, kept.length - first - input.at(-1)!.length]];
}

const zeroPadding = (n: number): LayerClass => ({
  shape: bordered(n, 'padding', 1, 1),
  forward(op, config, [x]) {
    const around = ofAllAxes(config, bordersOf(config, 'padding', n, 1)!);
    return op.pad(x!, around.map(([before]) => before), around.map(([, after]) => after)); // prettier-ignore
  },
  ...(n === 2 && { resize }),
  onInput: 'moves',
  keras: layer({ padding: optional(borders(n)), ...(n === 1 ? {} : DATA_FORMAT) }),
});

/** The classes that TensorFlow.js lacks. */
const computed = (n: number): LayerClass => {
  const own = zeroPadding(n);
  return {
    ...own,
    problem: borderProblem(own.shape!),
    compute: (tf, config, [x]) =>
      tf.pad(x!, ofAllAxes(config, bordersOf(config, 'padding', n, 1)!) as [number, number][]),
  };
};

export const ZERO_PADDING = {
  ZeroPadding1D: computed(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: computed(3),
} satisfies Record<string, LayerClass>;
