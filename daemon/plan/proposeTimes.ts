/** Proposes how many iterations and epochs a new plan has, from their cost on this machine. */
import type { TimeProposal } from '../protocol/dataChoice.js';
import { firstIteration, hasBound } from '../lc/path.js';
import { aboutTime } from '../protocol/outlookText.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { rounded } from '../protocol/format.js';

/** A new plan takes no longer than this, if possible. Seconds. */
const ENOUGH = 5 * 60;
/** With fewer LC iterations, mu would grow in large steps. */
const LEAST_ITERATIONS = 15;
/** A pass over samples without gradients, as a share of one with them. */
const FORWARD = 1 / 3;
/** Each iteration evaluates so many samples of the training part twice: with w and with theta. */
const EVALUATED = 10_000;
/** Loading, the trial of engines, the test of learning rates, the report. Seconds. */
const OVERHEAD = 2;

export interface MeasuredPace {
  /** Of training steps on this machine. */
  readonly samplesPerSecond: number;
  /** Samples of the training part, and of those that are held out. */
  readonly train: number;
  readonly held: number;
}

type Length = Pick<TimeProposal, 'iterations' | 'epochs' | 'retrainEpochs'>;

function secondsOf(
  { iterations, epochs, retrainEpochs }: Length,
  { samplesPerSecond, train, held }: MeasuredPace,
): number {
  const trained = train * (iterations * epochs + retrainEpochs);
  const evaluated =
    2 * (iterations + 1) * FORWARD * (Math.min(train, EVALUATED) + held) + retrainEpochs * FORWARD * held;
  return OVERHEAD + (trained + evaluated) / samplesPerSecond;
}

/** 0.37 -> 0.37, 4.6 -> 5. */
const roundedEpochs = (epochs: number): number =>
  epochs >= 1 ? Math.round(epochs) : Math.max(0.01, rounded(epochs, 2));

/** About `share` of the work: fewer epochs down to one, then fewer iterations, then fractions of an epoch. */
function shortened({ iterations, epochs, retrainEpochs }: Length, share: number): Length {
  const work = share * iterations * epochs;
  const kept = Math.min(iterations, Math.max(LEAST_ITERATIONS, Math.floor(work)));
  return {
    iterations: kept,
    epochs: Math.min(epochs, work >= kept ? Math.floor(work / kept) : roundedEpochs(work / kept)),
    retrainEpochs: Math.min(retrainEpochs, roundedEpochs(share * retrainEpochs)),
  };
}

/** A plan's own length. */
const usualLength = ({ schedule, retrain }: Pick<ResolvedPlan, 'schedule' | 'retrain'>): Length => ({
  iterations: schedule.iterations,
  epochs: schedule.epochs,
  retrainEpochs: retrain.epochs,
});

type Planned = Pick<ResolvedPlan, 'schedule' | 'retrain' | 'reference' | 'path'>;

/**
 * Seconds that a run of the plan takes here if it does not stop earlier: the training of its reference, all of its iterations, the retraining; for a
 * path, all of its points.
 */
export function secondsOfRun(plan: Planned, pace: MeasuredPace): number {
  const { path, reference } = plan;
  const { samplesPerSecond, train, held } = pace;
  const first = (reference.epochs * (train + FORWARD * held)) / samplesPerSecond;
  const whole = first + secondsOf(usualLength(plan), pace);
  if (!path) return whole;
  const left = plan.schedule.iterations - firstIteration(plan.schedule.iterations, true, path.warmStart);
  const warm = secondsOf({ ...usualLength(plan), iterations: left }, pace) - OVERHEAD;
  return whole + (path.budgets.length - 1 + (hasBound(path) ? path.refinements : 0)) * warm;
}

const epochsText = (n: number): string => `${n} ${n === 1 ? 'epoch' : 'epochs'}`;

const lengthText = ({ iterations, epochs, retrainEpochs }: Length): string =>
  `${iterations} iterations of ${epochsText(epochs)}${retrainEpochs === 0 ? '' : `, ${epochsText(retrainEpochs)} of retraining`}`;

function proposal(length: Length, pace: MeasuredPace): TimeProposal {
  const seconds = secondsOf(length, pace);
  return { ...length, seconds, text: `${aboutTime(seconds)}: ${lengthText(length)}` };
}

/** Duration of a run of the plan as it stands, if it does not stop earlier. @param plan with all defaults filled in. */
export function plannedTime(plan: Planned, pace: MeasuredPace): TimeProposal {
  const length = usualLength(plan);
  const seconds = secondsOfRun(plan, pace);
  const reference = plan.reference.epochs === 0 ? '' : `${epochsText(plan.reference.epochs)} for the reference, `;
  const points = plan.path ? `${plan.path.budgets.length} budgets, for the first ` : '';
  return { ...length, seconds, text: `${aboutTime(seconds)}: ${reference}${points}${lengthText(length)}` };
}

/**
 * Lengths of a run, the proposed one first: the default length if it takes at most five minutes, else the longest that fits into them; then a quarter
 * of that, and the default. The estimate is for all iterations: a run whose weights have met the budget stops earlier.
 * @param plan with all defaults for this data filled in.
 */
export function proposeTimes(plan: Pick<ResolvedPlan, 'schedule' | 'retrain'>, pace: MeasuredPace): TimeProposal[] {
  const usual = usualLength(plan);
  const whole = secondsOf(usual, pace);
  const first = whole <= ENOUGH ? usual : shortened(usual, Math.max(0, ENOUGH - OVERHEAD) / (whole - OVERHEAD));
  const quick = shortened(first, 0.25);
  const lengths = [first, quick, usual];
  const isNew = (length: Length, i: number) => lengths.findIndex((other) => Object.entries(length).every(([key, value]) => other[key as keyof Length] === value)) === i; // prettier-ignore
  return lengths.filter(isNew).map((length) => proposal(length, pace));
}
