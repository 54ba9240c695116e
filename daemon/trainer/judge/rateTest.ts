/**
 * A short test of learning rates at the start of a run. The default suits LeNet300 on MNIST; it may destroy another model. Rates are tried from the
 * default downwards on a few batches, from the model's own weights and without pruning; the first harmless one is taken. All changes are undone, so a
 * run that keeps its default is not affected.
 */
import type { EngineSession } from '../../engine/engine.js';
import { UserError } from '../../protocol/errors.js';
import type { UntimedRunEvent } from '../../protocol/events.js';
import type { ResolvedPlan, TrainingSettings } from '../../protocol/resolvedPlan.js';
import { figure, significant } from '../../protocol/format.js';
import { Stopped, type Control } from '../process/control.js';
import type { Batches, Run } from '../run.js';

/** Tried rates as shares of the default. */
const LADDER = [1, 0.3, 0.1, 0.03, 0.01, 0.003];
/** Training steps: momentum 0.9 reaches its full effect after about twenty. */
const STEPS = 24;
/** Batches on which the loss is compared before and after. */
const COMPARED = 8;
/** A rate is tried for at most this share of the run's own steps, so that the test does not dominate a short run. */
const SHARE = 1 / 40;
/** Fewer steps are not informative. */
const FEWEST = 4;
/** Share of the distance to the loss by chance: a trained network may lose so much in a few steps, and regains most of it. */
const HARM = 0.05;
/** A network whose loss is this near chance has learnt nothing yet. */
const UNTRAINED = 0.9;
/** Share of its own loss, and of chance, that it must reach to have begun to learn: the slow start of a deep network. */
const LEARNS = 0.97;

interface Trial {
  readonly rate: number;
  /** Mean loss afterwards; Infinity if it is not finite. */
  readonly loss: number;
}

type Tested = Pick<Run, 'plan' | 'sessions' | 'batches' | 'chanceLoss'>;

/** The plan with its open rates filled in, and notes for the user. */
export interface SettledRates {
  readonly plan: ResolvedPlan;
  readonly notes: readonly Omit<Extract<UntimedRunEvent, { event: 'warning' }>, 'event'>[];
}

/** Whether a rate suits a network, by its loss before and after. @param chance null: unknown. */
export function isHarmless(before: number, after: number, chance: number | null): boolean {
  if (chance === null) return after <= 1.5 * before;
  // An untrained network must learn something.
  if (before >= UNTRAINED * chance) return after < LEARNS * Math.min(before, chance);
  return after <= before + HARM * (chance - before);
}

/** Trains from the session's current weights and restores them, and all other state, afterwards. */
async function withSessionKept<T>(session: EngineSession, batches: Batches, work: () => Promise<T>): Promise<T> {
  const weights = (await session.getWeights()).slice();
  const state = (await session.getState()).slice();
  const random = [...session.getRandomState()];
  const zeros = new Float32Array(session.size);
  const restore = async () => {
    await session.setWeights(weights);
    await session.setState(state);
    await session.setVelocity(zeros);
    session.setRandomState(random);
    batches.rewind();
  };
  await restore();
  try {
    return await work();
  } finally {
    await restore();
  }
}

/** Mean loss of training steps at one rate; Infinity as soon as it is not finite. @throws Stopped. */
async function train(
  session: EngineSession,
  batches: Batches,
  settings: TrainingSettings,
  steps: number,
  rate: number,
  control: Control,
): Promise<number> {
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    if (control.stopReason) throw new Stopped(control.stopReason, 0);
    try {
      const { momentum, nesterov, weightDecay, clipNorm } = settings;
      const learningRate = () => rate;
      const onStep = (_: number, loss: number) => void (sum += loss);
      const clip = clipNorm !== undefined && { clipNorm };
      await session.train({ batches, steps: 1, learningRate, momentum, nesterov, weightDecay, ...clip, onStep });
    } catch (error) {
      if (error instanceof UserError && error.code === 'diverged') return Infinity;
      throw error;
    }
  }
  return Number.isFinite(sum) ? sum / steps : Infinity;
}

/** The loss on the first batches after training at a rate; rate 0: of the network as it is. */
async function lossAfter(
  session: EngineSession,
  batches: Batches,
  settings: TrainingSettings,
  rate: number,
  steps: number,
  control: Control,
): Promise<number> {
  return withSessionKept(session, batches, async () => {
    const random = [...session.getRandomState()];
    if (rate > 0 && (await train(session, batches, settings, steps, rate, control)) === Infinity) return Infinity;
    await session.setVelocity(new Float32Array(session.size));
    session.setRandomState(random);
    batches.rewind();
    return train(session, batches, settings, Math.min(COMPARED, steps), 0, control);
  });
}

/**
 * Fills in the rates that the plan leaves open. A rate in the plan is only tested for a trained model that is given: a warning reports if training
 * without pruning raises its loss.
 * @param runSteps training steps of the whole run: if they are few, nothing is tried and the defaults stay.
 * @returns the plan without `openRates`. @throws Stopped; the errors of the engine.
 */
export async function settleRates(
  plan: ResolvedPlan,
  run: Tested,
  control: Control,
  runSteps: number,
): Promise<SettledRates> {
  const { openRates: open = [], ...settled } = plan;
  const trains = plan.reference.epochs > 0;
  if (plan.method === 'reference' && !trains) return { plan: settled, notes: [] };
  const section = trains ? 'reference' : 'training';
  const settings = plan[section];
  const standing = plan[open.includes(section) ? section : 'training'].learningRate;
  const isOpen = open.includes(section) || open.includes('training');
  const steps = Math.min(STEPS, Math.floor(SHARE * runSteps));
  if ((trains && !isOpen) || steps < FEWEST) return { plan: settled, notes: [] };

  const session = await run.sessions.use(settings.batchSize, !trains);
  const batches = run.batches(settings.batchSize, trains ? 'reference' : 'l-step');
  const before = await lossAfter(session, batches, settings, 0, steps, control);
  const trials: Trial[] = [];
  const rates = isOpen ? LADDER.map((share) => share * standing) : [settings.learningRate];
  let chosen: Trial | undefined;
  for (const rate of rates) {
    const trial = { rate, loss: await lossAfter(session, batches, settings, rate, steps, control) };
    trials.push(trial);
    const { chanceLoss = run.chanceLoss } = batches;
    if (isHarmless(before, trial.loss, chanceLoss)) {
      chosen = trial;
      break;
    }
  }
  const fits = chosen !== undefined;
  const best = chosen ?? trials.reduce((least, trial) => (trial.loss < least.loss ? trial : least));
  const list = trials.map(({ rate, loss }) => `${significant(rate, 3)}: ${figure(loss)}`).join('; ');
  const raises = `training without pruning raises the loss of the model: from ${figure(before)} to (learning rate: loss after ${steps} steps) ${list}`;
  const notes: SettledRates['notes'][number][] = [];
  if (!fits && !trains) {
    const wayOut = isOpen
      ? 'check that loss, data and scale are those that it was trained with'
      : `a smaller "${section}.learningRate" may keep what it knows; without one in the plan, the run looks for it`;
    notes.push({
      code: 'rate-raises-loss',
      message: `${raises}: ${wayOut}`,
      ...(!isOpen && { rate: { section, value: null } }),
    });
  }
  if (isOpen && best.rate !== standing) {
    const message = `The learning rate ${significant(best.rate, 3)} was chosen by a short test (loss ${figure(before)} before; after ${steps} steps ${list}); "${section}.learningRate" in the plan overrides it.`;
    notes.push({ code: 'note', message });
  }
  return { plan: isOpen ? withRate(settled, open, best.rate) : settled, notes };
}

/** Retraining keeps its ratio to training's rate. */
const scaled = ({ training, retrain }: ResolvedPlan, learningRate: number): ResolvedPlan['retrain'] => ({
  ...retrain,
  learningRate: retrain.learningRate * (learningRate / training.learningRate),
});

function withRate(
  plan: ResolvedPlan,
  open: NonNullable<ResolvedPlan['openRates']>,
  learningRate: number,
): ResolvedPlan {
  const [reference, training, retrain] = (['reference', 'training', 'retrain'] as const).map((one) =>
    open.includes(one),
  );
  return {
    ...plan,
    ...(reference && { reference: { ...plan.reference, learningRate } }),
    ...(training && { training: { ...plan.training, learningRate } }),
    ...(training && retrain && { retrain: scaled(plan, learningRate) }),
  };
}
