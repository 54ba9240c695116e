/** Defaults for few samples: settings that the plan leaves open depend on the size of the training part. */
import type { OpenSetting, ResolvedPlan } from '../../protocol/resolvedPlan.js';

/** A default batch gives this many steps an epoch, as far as it may shrink. */
const STEPS = 8;
/** A default batch is no smaller than this, unless there are fewer samples: the gradient of fewer is too noisy. */
export const LEAST_BATCH = 16;
/** Phases of a plan that train. */
export const PHASES = ['training', 'retrain', 'reference'] as const;

export interface FittedToData {
  readonly plan: ResolvedPlan;
  /** One sentence each, for the user, of batches and of epochs. */
  readonly batches: readonly string[];
  readonly epochs: readonly string[];
}

/** The default batch for `samples`: the usual one, or the power of two that gives eight steps an epoch. */
function batchFor(usual: number, samples: number): number {
  if (samples >= STEPS * usual) return usual;
  const power = 2 ** Math.floor(Math.log2(Math.max(1, samples / STEPS)));
  return Math.min(Math.max(power, LEAST_BATCH), usual, samples);
}

/** The plan with another value of one setting. */
function withSetting(plan: ResolvedPlan, setting: OpenSetting, value: number): ResolvedPlan {
  const [part, key] = setting.split('.') as [(typeof PHASES)[number] | 'schedule', string];
  return { ...plan, [part]: { ...plan[part], [key]: value } };
}

const isOpen = ({ open = [] }: ResolvedPlan, setting: OpenSetting): boolean => open.includes(setting);

/**
 * If the plan leaves them open: batches of at most an eighth of the samples (at least 16), and more epochs to make up for the missing steps of each.
 * Settings in the plan are never changed.
 * @param samples of the training part, at least one.
 */
export function fitToData(given: ResolvedPlan, samples: number): FittedToData {
  let plan = given;
  const sizes = new Map<number, number>();
  for (const phase of PHASES) {
    const { batchSize } = plan[phase];
    const size = batchFor(batchSize, samples);
    if (size === batchSize || !isOpen(plan, `${phase}.batchSize`)) continue;
    sizes.set(batchSize, size);
    plan = withSetting(plan, `${phase}.batchSize`, size);
  }
  const longer: string[] = [];
  const lengthen = (setting: OpenSetting, epochs: number, batchSize: number) => {
    const missing = Math.ceil((STEPS - 1) / Math.max(1, Math.floor(samples / batchSize)));
    if (missing <= 1 || epochs === 0 || !isOpen(plan, setting)) return;
    plan = withSetting(plan, setting, missing * epochs);
    longer.push(`"${setting}" ${missing * epochs}`);
  };
  lengthen('schedule.epochs', plan.schedule.epochs, plan.training.batchSize);
  lengthen('schedule.firstEpochs', plan.schedule.firstEpochs, plan.training.batchSize);
  lengthen('retrain.epochs', plan.retrain.epochs, plan.retrain.batchSize);
  lengthen('reference.epochs', plan.reference.epochs, plan.reference.batchSize);
  const batches = [...sizes].map(
    ([usual, size]) =>
      `Batches have ${size} samples, not ${usual} as usual, as there are ${samples} to train on; "training": {"batchSize": N} in the plan changes that.`,
  );
  const epochs =
    longer.length === 0 ? [] : [`Few samples make few steps an epoch, so there are more epochs: ${longer.join(', ')}.`];
  return { plan, batches, epochs };
}
