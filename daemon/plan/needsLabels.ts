/** What a plan without labels ("labels": false) cannot have. Pure. */
import type { Plan } from '../protocol/plan.js';

/** The first key of the plan that only labels could serve, and the way out; null: the reference alone can teach. */
export function needsLabels({
  model,
  data,
  reference,
  distill,
}: Plan): { readonly path: readonly string[]; readonly message: string } | null {
  if (typeof model !== 'string')
    return { path: ['model'], message: 'a reference is trained on labels, and "labels" is false: name a trained model' };
  if ((reference?.epochs ?? 0) > 0)
    return { path: ['reference', 'epochs'], message: 'the reference is trained on labels, and "labels" is false: leave it out' };
  if (!distill)
    return { path: ['data', 'labels'], message: 'without labels only the reference can teach: add "distill": {} to the plan, or name the labels' };
  if (distill.weight !== undefined && distill.weight !== 1)
    return { path: ['distill', 'weight'], message: 'without labels ("labels" is false) the reference is all of the target: leave the weight out' };
  if (typeof data === 'string') return null;
  const ofLabels = (['classes', 'classWeights'] as const).find((key) => data[key] !== undefined);
  return ofLabels === undefined
    ? null
    : { path: ['data', ofLabels], message: `"${ofLabels}" is about labels, and "labels" is false: leave it out` };
} // prettier-ignore
