/** Judges a finished run: the findings on a result whose steps were all completed. */
import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { EngineSession, SampleSource } from '../../engine/engine.js';
import { isStable } from '../../lc/stopTest.js';
import type { Agreement, BudgetCheck, Evaluation, Finding, LayerKept } from '../../protocol/events.js';
import { fewSamplesText } from './fewSamples.js';
import { NEAR_CHANCE } from './lossGuard.js';
import type { Run } from '../run.js';
import { count, figure, percent } from '../../protocol/format.js';
import { sizeOf } from '../../protocol/shape.js';

/** ||w - theta|| / ||w|| above which w and theta have not converged: theta then differs from the trained network. */
const FAR = 0.1;
/** Samples whose outputs are compared. */
const COMPARED = 64;
/** As a share of the largest output: smaller differences are rounding. */
const ROUNDING = 1e-6;

/** Whether the session's network gives the same output for every sample (padding left out); false for fewer than two samples. */
export async function isConstant(session: EngineSession, source: SampleSource): Promise<boolean> {
  const samples = Math.min(samplesAtOnce(session.inputShapes, COMPARED), source.size);
  if (samples < 2) return false;
  const size = sizeOf(session.outputShape);
  const inputs = session.inputShapes.map((shape) => new Float32Array(samples * sizeOf(shape)));
  await source.read(0, samples, inputs, new Float32Array(samples * size));
  const outputs = await session.predict(inputs, samples);
  const mask = await session.outputMask(inputs, samples);
  const width = session.outputShape.at(-1) ?? 1;
  const counts = (i: number) => mask?.[Math.floor(i / width)] !== 0;
  const largest = outputs.reduce((most, x, i) => (counts(i) ? Math.max(most, Math.abs(x)) : most), 0);
  const first = new Map<number, number>();
  return outputs.every((x, i) => {
    if (!counts(i)) return true;
    if (!first.has(i % size)) first.set(i % size, x);
    return Math.abs(x - first.get(i % size)!) <= ROUNDING * largest;
  });
}

export interface Judged {
  readonly reference: Evaluation;
  readonly retrained: Evaluation;
  readonly perLayer: readonly LayerKept[];
  readonly budget: readonly BudgetCheck[];
  /** At the last LC iteration; null if there was none. */
  readonly agreement: Agreement | null;
  readonly constant: boolean;
}

type Chance = Pick<Run, 'chanceError' | 'chanceLoss' | 'regression'>;

/** Whether a network is better than a constant answer: by its error if chance has one, else by its loss. */
function knows({ error, loss }: Evaluation, { chanceError, chanceLoss }: Chance): boolean {
  if (error === null || loss === null) return false;
  if (chanceError !== null) return error < NEAR_CHANCE * chanceError;
  return chanceLoss === null || loss < NEAR_CHANCE * chanceLoss;
}

function chanceFinding({ retrained, reference }: Judged, chance: Chance): string | null {
  if (knows(retrained, chance)) return null;
  const { error, loss } = retrained;
  const { chanceError, chanceLoss, regression } = chance;
  if (error === null || loss === null) return 'it gives no finite loss';
  if (chanceError !== null) {
    const nothing = regression ? 'always answering the mean' : 'always answering the most frequent class';
    return `its error, ${percent(error)}, is that of a network that has learned nothing (${nothing}: ${percent(chanceError)}; the reference: ${percent(reference.error ?? NaN)})`;
  }
  return `its loss, ${figure(loss)}, is that of a network that has learned nothing (always the same answer: ${figure(chanceLoss!)}; the reference: ${figure(reference.loss)})`;
}

/**
 * All findings on a result, the worst first; empty for a good one. A reference that had learnt nothing cannot be destroyed: its findings are
 * warnings, and the result is as usable as the reference.
 */
export function judge(judged: Judged, run: Chance): Finding[] {
  const had = knows(judged.reference, run);
  const findings: Finding[] = [];
  const add = (code: Finding['code'], unusable: boolean, message: string) => findings.push({ code, unusable, message });
  const verdict = had ? 'THE RESULT IS NOT USABLE' : 'the result is no better than the reference, which knows nothing';
  const destroyed = chanceFinding(judged, run);
  if (destroyed !== null)
    add(
      'near-chance',
      had,
      `${verdict}: ${destroyed}. Ask for a larger budget, more iterations, or a smaller learning rate`,
    );
  if (judged.constant) add('constant-output', had, `${verdict}: its outputs are the same for every input`);
  for (const { layer, weights, kept } of judged.perLayer) {
    if (kept > 0 || weights === 0) continue;
    const message = `THE LAYER "${layer}" IS DEAD: it keeps 0 of ${count(weights)} weights, so nothing passes through it; "layers": {"${layer}": {"floor": "1%"}} in the budget keeps some`;
    add('dead-layer', had, message);
  }
  for (const { kind, asked, limit, got } of judged.budget.filter(({ met }) => met === false))
    add('budget-missed', true, `THE BUDGET IS MISSED: ${asked} allows ${limit} (${kind}), the written file has ${got}`);
  const { agreement } = judged;
  if (agreement && !(agreement.ratio !== null && agreement.ratio <= FAR)) {
    const message = `w and theta have not met: ||w - theta||/||w|| is ${figure(agreement.ratio)} at the last LC iteration (good: below ${FAR}); a larger "schedule.muEnd", or more iterations, brings them together`;
    add('not-converged', false, message);
  }
  if (agreement && !isStable(agreement.supportChange, agreement.kept)) {
    const message = `which weights stay was still changing: ${count(agreement.supportChange)} came or went at the last LC iteration, of ${count(agreement.kept)} kept; more iterations settle it`;
    add('support-changing', false, message);
  }
  const few = fewSamplesText(judged.retrained, run.regression === true);
  if (few !== null) add('few-samples', false, few);
  return findings;
}
