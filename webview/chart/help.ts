/** What the charts say, for someone who has not read the paper. */
import { t } from '../page/strings.js';
import type { ChartSpec } from './curves.js';

/** A few sentences for each chart: what it shows, how it usually looks, and what to watch for. */
export const chartHelp = (): Record<ChartSpec['id'] | 'trade-off' | 'histogram' | 'path', readonly string[]> => ({
  loss: [
    t(
      'The loss is what training makes smaller. The thin line is each training batch; the others are measured on whole parts of the data after every iteration.',
    ),
    t(
      'The trained weights may do what they like at first; the pruned weights are what the budget leaves of them. Both lines meet at the end.',
    ),
  ],
  error: [
    t(
      'The error is the share of wrong answers (of a regression: of the variance that is not explained). It says how good the result will be; the dotted line is the network before pruning.',
    ),
    t(
      'The pruned weights begin with a high error, as cutting a network once nearly always ruins it. The error falls when trained and pruned weights come close. The grey band says until about where a high error is normal.',
    ),
    t(
      '"End" cuts off the high beginning, so that the last third fills the chart; "log" shows all of it on a logarithmic scale.',
    ),
  ],
  kept: [
    t(
      'How many of the weights that may be pruned are not zero in the pruned network. A fixed budget is a flat line; of a budget in bytes, FLOPs or neurons the share moves until it has settled.',
    ),
    t('The dashed line says how many weights came or went since the last iteration: it falls to zero as the choice settles.'), // prettier-ignore
  ],
  distance: [
    t(
      'How far the trained weights are from the pruned ones (left scale), and the penalty that pulls them together (right scale). The run is done when they have met.',
    ),
    t('The penalty grows by the same factor every iteration; the plan\'s "schedule" sets it.'),
  ],
  throughput: [t('Training samples a second. Pauses, other programs and evaluations show as dips.')],
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
  learningRate: [
    t('The step size of training. It falls with the iterations, and starts anew for retraining at the end.'),
  ],
});
