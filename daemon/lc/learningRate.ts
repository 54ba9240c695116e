/** The learning rate over a phase of training: schedules of the field, a warm-up, and the bound that the penalty sets. */

/** Where a step is. Outside the LC loop, iteration 0 of 1. */
export interface Moment {
  /** LC iteration j >= 0, of so many. */
  readonly iteration: number;
  readonly iterations: number;
  /** Epochs since this L step (or training) began, and how many it has; fractions count. */
  readonly epoch: number;
  readonly epochs: number;
}

export interface LearningRateSettings {
  readonly learningRate: number;
  readonly learningRateSchedule: RateSchedule;
  /** Factor of the exponential schedule, per LC iteration or per epoch. */
  readonly decay: number;
  /** The clock of the schedule. "iteration": constant within an L step, falls from one to the next; "epoch": restarts with every L step, falls inside it. */
  readonly decayMode: 'iteration' | 'epoch';
  /** Epochs for which the first L step, or training, rises to its rate. */
  readonly warmup: number;
}

/** Half a wave of the cosine, from 1 at t = 0 to 0 at t = 1. */
const halfWave = (t: number): number => (1 + Math.cos(Math.PI * t)) / 2;

/** The one-cycle policy begins at this share of the rate, and ends at a ten-thousandth of that. */
const CYCLE_START = 1 / 25;
const CYCLE_END = CYCLE_START / 1e4;
/** Share of the phase for which the one-cycle policy rises. */
const CYCLE_RISE = 0.3;

/** A schedule: its rule, and how a report words it. */
interface Schedule {
  /** Factor on the rate at a share t of the clock, 0 <= t < 1, after so many whole decays. */
  readonly factor: (t: number, decays: number, decay: number) => number;
  /** What follows "learning rate 0.1" in a report. */
  readonly words: (settings: Pick<LearningRateSettings, 'decay' | 'decayMode'>) => string;
}

export const RATE_SCHEDULES = {
  constant: { factor: () => 1, words: () => ', constant' },
  exponential: {
    factor: (_t, decays, decay) => decay ** decays,
    words: ({ decay, decayMode }) => ` x ${decay} per ${decayMode}`,
  },
  /** Without restarts inside a phase. (Loshchilov & Hutter 2017, eq. 5) */
  cosine: {
    factor: (t) => halfWave(t),
    words: ({ decayMode }) => `, cosine over ${decayMode === 'epoch' ? 'each phase' : 'the iterations'}`,
  },
  /** Up and down along cosines. (Smith & Topin 2018; the constants are PyTorch's, momentum stays) */
  'one-cycle': {
    factor: (t) =>
      t < CYCLE_RISE
        ? 1 + (CYCLE_START - 1) * halfWave(t / CYCLE_RISE)
        : CYCLE_END + (1 - CYCLE_END) * halfWave((t - CYCLE_RISE) / (1 - CYCLE_RISE)),
    words: ({ decayMode }) => `, one cycle over ${decayMode === 'epoch' ? 'each phase' : 'the iterations'}`,
  },
} satisfies Record<string, Schedule>;
export type RateSchedule = keyof typeof RATE_SCHEDULES;

/** Share of the rate with which a warm-up begins. */
const WARM_START = 0.1;

/** Rises linearly to 1; a warm-up is no longer than its phase. (Goyal et al. 2017, section 2.2) */
function warmth({ iteration, epoch, epochs }: Moment, warmup: number): number {
  const length = Math.min(warmup, epochs);
  return iteration > 0 || epoch >= length ? 1 : WARM_START + (1 - WARM_START) * (epoch / length);
}

/**
 * Upper bound on eta mu. With Nesterov momentum 0.9 a step is stable for eta (mu + h) < 1.357, h the loss's own curvature. The paper's min(eta, 1/mu)
 * [P, section 4] leaves almost nothing for h just when the clip sets in; a quarter leaves 1.1 of 1.357.
 */
const CLIP = 0.25;

/** min(eta, CLIP/mu): the learning rate at which loss and penalty together stay stable. */
export const clipLearningRate = (eta: number, mu: number): number => Math.min(eta, CLIP / mu);

/**
 * The learning rate of a training step.
 * @param mu of the iteration, or null without penalty term (reference, retraining): then nothing is clipped.
 */
export function learningRateAt(settings: LearningRateSettings, moment: Moment, mu: number | null): number {
  const { iteration, iterations, epoch, epochs } = moment;
  const [at, of] = settings.decayMode === 'iteration' ? [iteration, iterations] : [epoch, epochs];
  const { factor }: Schedule = RATE_SCHEDULES[settings.learningRateSchedule];
  // A step that is counted at the very end of its phase belongs to it.
  const t = of > 0 ? Math.min(1, at / of) : 0;
  const eta = settings.learningRate * factor(t, Math.floor(at), settings.decay) * warmth(moment, settings.warmup);
  return mu === null ? eta : clipLearningRate(eta, mu);
}

/** The rate of training outside the LC loop, whose only clock is the epoch. */
export const trainingRateAt = (settings: LearningRateSettings, epoch: number, epochs: number): number =>
  learningRateAt({ ...settings, decayMode: 'epoch' }, { iteration: 0, iterations: 1, epoch, epochs }, null);

/** The rate of a phase and how it moves, for a report. */
export function rateText(settings: LearningRateSettings): string {
  const { words }: Schedule = RATE_SCHEDULES[settings.learningRateSchedule];
  const warmth = settings.warmup > 0 ? `, ${settings.warmup} epochs of warm-up` : '';
  return `learning rate ${settings.learningRate}${words(settings)}${warmth}`;
}
