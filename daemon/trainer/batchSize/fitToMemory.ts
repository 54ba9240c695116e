/** Fits batches into memory: a default batch is chosen to fit; one in the plan is computed in parts or rejected. */
import type { SessionSpec } from '../../engine/engine.js';
import { roughStepMemory, stepMemory, type StepMemory } from '../../engine/stepMemory.js';
import type { Model } from '../../model/model.js';
import { LEAST_BATCH, PHASES } from './fitToData.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { bytes as bytesText } from '../../protocol/format.js';

export interface Fitted {
  readonly plan: ResolvedPlan;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
}

/** Shares of the free memory: for a chosen batch, and for one in the plan. */
const SHARE = { chosen: 0.5, named: 0.7 } as const;
/** Upper bound for a chosen batch even if more memory is free, so that it seldom depends on the machine. Bytes. */
const ENOUGH = 3 * 2 ** 29;
/** Accuracy of the rough estimate: a factor. */
const ROUGH = 4;

type Phase = (typeof PHASES)[number];

const takes = ({ fixed, perSample }: Pick<StepMemory, 'fixed' | 'perSample'>, samples: number): number =>
  fixed + perSample * samples;

/** Samples computed at once that fit into so many bytes; below 1 if not even one does. */
const fitting = ({ fixed, perSample }: StepMemory, bytes: number): number => Math.floor((bytes - fixed) / perSample);

/** The largest divisor of a batch that is at most `most`. */
function partOf(batch: number, most: number): number {
  for (let parts = Math.ceil(batch / most); parts < batch; parts++) if (batch % parts === 0) return batch / parts;
  return 1;
}

/**
 * @param model of known input sizes, and the specification of its session.
 * @param free bytes; default: what the process can still allocate.
 * @throws UserError('plan-invalid') if a batch in the plan does not fit and cannot be divided, with one that does; also if not even a single sample
 * fits.
 */
export async function fitToMemory(
  plan: ResolvedPlan,
  model: Model,
  spec: Omit<SessionSpec, 'batchSize'>,
  free = process.availableMemory(),
): Promise<Fitted> {
  const room = { chosen: Math.min(SHARE.chosen * free, ENOUGH), named: SHARE.named * free };
  const isChosen = (phase: Phase) => plan.open?.includes(`${phase}.batchSize`) ?? false;
  const roomOf = (phase: Phase) => room[isChosen(phase) ? 'chosen' : 'named'];
  const rough = roughStepMemory(model);
  if (PHASES.every((phase) => ROUGH * takes(rough, plan[phase].batchSize) <= roomOf(phase))) return { plan, notes: [] };

  // If the graph cannot be recorded it is not compiled either: then only the shapes are known.
  const byShapes = { ...rough, indivisible: 'its training step cannot be compiled' };
  const { native, onnx } = await stepMemory(model, { ...spec, batchSize: 1 }).catch((error: unknown) => {
    if (error instanceof UserError) return { native: byShapes, onnx: byShapes };
    throw error;
  });
  // A chosen batch must not depend on which engine wins a trial; a batch in the plan may use what the plan's engine leaves free.
  const own = plan.engine === 'auto' || plan.engine === 'native-cpu' ? native : onnx;

  const notes = new Set<string>();
  let fitted = plan;
  for (const phase of PHASES) {
    const { batchSize } = plan[phase];
    const memory = isChosen(phase) ? onnx : own;
    let most = fitting(memory, roomOf(phase));
    if (most < 1) most = fitting(own, room.named);
    if (most >= batchSize) continue;
    const needed = `a training step of ${batchSize} samples needs about ${bytesText(takes(memory, batchSize))}`;
    if (most < 1)
      throw new UserError(
        'plan-invalid',
        `${needed}, and one of a single sample ${bytesText(takes(memory, 1))}: more than the ${bytesText(room.named)} that training may take of the ${bytesText(free)} that are free`,
        { field: 'training.batchSize' },
      );
    const size = isChosen(phase) ? Math.max(2 ** Math.floor(Math.log2(most)), least(memory, batchSize)) : batchSize;
    const whole = size <= most;
    if (!whole && memory.indivisible !== null)
      throw new UserError(
        'plan-invalid',
        `"${phase}.batchSize": ${needed}, more than the ${bytesText(room.named)} that training may take of the ${bytesText(free)} that are free; a batch of ${most} fits (it cannot be computed in parts: ${memory.indivisible})`,
        { field: `${phase}.batchSize` },
      );
    const part = whole ? size : partOf(size, most);
    const { microBatch: _, ...settings } = fitted[phase];
    fitted = { ...fitted, [phase]: { ...settings, batchSize: size, ...(!whole && { microBatch: part }) } };
    if (size < batchSize)
      notes.add(
        `Batches have ${size} samples, for memory: ${needed}, one of ${part} ${bytesText(takes(memory, part))}; "training": {"batchSize": N} in the plan changes that.`,
      );
    if (!whole)
      notes.add(
        `Batches of ${size} samples are computed in ${size / part} parts of ${part}, whose gradients are averaged, for memory: ${needed}.`,
      );
  }
  return { plan: fitted, notes: [...notes] };
}

/** A chosen batch is not made smaller than this: it is computed in parts if possible. */
const least = ({ indivisible }: StepMemory, batchSize: number): number =>
  indivisible === null ? Math.min(LEAST_BATCH, batchSize) : 1;
