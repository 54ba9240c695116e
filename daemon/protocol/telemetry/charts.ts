/** The monitor's charts over time, in the order of the page. The columns (`columns.ts`) define their curves. */

export type ChartId = 'loss' | 'error' | 'kept' | 'distance' | 'throughput' | 'learningRate';

/** Texts are English, translated where they are shown. */
export interface Chart {
  readonly title: string;
  /** One sentence: what the chart shows. */
  readonly help: string;
  /** A few sentences for a reader who does not know the paper: how it usually looks, and what to watch for. */
  readonly details: readonly string[];
  /** Whether the y axis is logarithmic by default. */
  readonly isLog: boolean;
  /** Whether the top is cut off by default, because the beginning is high and the end matters. */
  readonly showsEnd?: true;
  /** Whether a band shows until when high values are normal. */
  readonly settles?: true;
  /** Whether a line shows the error of the reference. */
  readonly hasReference?: true;
  readonly isTall?: true;
}

export const CHARTS: Readonly<Record<ChartId, Chart>> = {
  loss: {
    title: 'Loss',
    help: 'Mean loss per sample: of every training batch, and of the trained and the pruned weights after each iteration.',
    details: [
      'The loss is what training makes smaller. The thin line is each training batch; the others are measured on whole parts of the data after every iteration.',
      'The trained weights may do what they like at first; the pruned weights are what the budget leaves of them. Both lines meet at the end.',
    ],
    isLog: true,
    isTall: true,
  },
  error: {
    title: 'Error',
    help: 'Share of wrong answers of the trained and of the pruned weights. The two meet as the penalty grows.',
    details: [
      'The error is the share of wrong answers (of a regression: of the variance that is not explained; of data without labels: of answers other than those of the reference). It says how good the result will be; the dotted line is the network before pruning.',
      'The pruned weights begin with a high error, as cutting a network once nearly always ruins it. The error falls when trained and pruned weights come close. The grey band says until about where a high error is normal.',
      '"End" cuts off the high beginning, so that the last third fills the chart; "log" shows all of it on a logarithmic scale.',
    ],
    isLog: false,
    showsEnd: true,
    settles: true,
    hasReference: true,
    isTall: true,
  },
  kept: {
    title: 'Kept weights',
    help: 'Share of the prunable weights that are not zero after pruning, and how much of that set changed.',
    details: [
      'How many of the weights that may be pruned are not zero in the pruned network. A fixed budget is a flat line; of a budget in bytes, FLOPs or neurons the share moves until it has settled.',
      'The dashed line says how many weights came or went since the last iteration: it falls to zero as the choice settles.',
    ],
    isLog: false,
  },
  distance: {
    title: 'Trained against pruned weights',
    help: 'Distance between the trained and the pruned weights (left) and the penalty that closes it (right).',
    details: [
      'How far the trained weights are from the pruned ones (left scale), and the penalty that pulls them together (right scale). The run is done when they have met.',
      'The penalty grows by the same factor every iteration; the plan\'s "schedule" sets it.',
    ],
    isLog: true,
  },
  throughput: {
    title: 'Throughput',
    help: 'Training samples per second.',
    details: ['Training samples a second. Pauses, other programs and evaluations show as dips.'],
    isLog: false,
  },
  learningRate: {
    title: 'Learning rate',
    help: 'Step size of each training batch.',
    details: ['The step size of training. It falls with the iterations, and starts anew for retraining at the end.'],
    isLog: false,
  },
};
