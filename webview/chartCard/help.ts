/** Help for the charts that are not over time (help for those: protocol/telemetry/charts.ts), for readers who do not know the paper. */
import { t } from '../page/strings.js';

/** A few sentences for each chart: what it shows, how it usually looks, and what to watch for. */
export const chartHelp = (): Record<'trade-off' | 'histogram' | 'path' | 'sweep', readonly string[]> => ({
  'trade-off': [
    t(
      'One point for each compared run: how much it keeps (to the left is smaller) and its error (lower is better). "Cut once" is the same budget without any training.',
    ),
  ],
  histogram: [
    t(
      'How many weights of the layer have which value. Pruning takes those near zero; what is left often grows, as it has to do the work of all.',
    ),
  ],
  path: [
    t(
      'One run at many budgets, large to small: where the curve bends upwards, the network has become too small. Drag the point, or use the arrow keys, and export the network you want.',
    ),
    t('With a goal, the run looks for the smallest network that meets it, and begins there.'),
  ],
  sweep: [
    t(
      'Each point is the mean of the runs that differ in their seed only; its bar is one sample standard deviation up and down. Where bars of two methods overlap, more seeds are needed to distinguish them.',
    ),
    t(
      'A ring marks the operating points: no other row has less error with as few weights. Click a point, or move with the arrow keys, to read it.',
    ),
  ],
});
