/** Quick fixes for data that is not there: what fits the plan's model. */
import { findNodeAtLocation } from 'jsonc-parser';
import type { FoundData } from '../protocol/dataChoice.js';
import { ARCHITECTURES } from '../protocol/plan.js';
import type { Fix, PlanAnalysis } from './planAnalysis.js';

/** Offered at once; the others are a command away. */
const MOST = 6;

/** A model file, absolute, or an architecture that is trained first. */
export type ModelNamed = string | { readonly architecture: (typeof ARCHITECTURES)[number] };

/** The plan's model, where there is one to be asked. */
export function modelOfPlan({ tree, model }: Pick<PlanAnalysis, 'tree' | 'model'>): ModelNamed | null {
  if (model) return model.exists ? model.path : null;
  const name: unknown = tree && findNodeAtLocation(tree, ['model', 'architecture'])?.value;
  const architecture = ARCHITECTURES.find((one) => one === name);
  return architecture === undefined ? null : { architecture };
}

/**
 * What may stand in place of the plan's "data": the whole value, so that names of columns of other data do not stay.
 *
 * @param search finds what fits a model; null where that cannot be said.
 */
export async function dataFixes(
  analysis: Pick<PlanAnalysis, 'tree' | 'model'>,
  search: (model: ModelNamed) => Promise<FoundData | null>,
): Promise<Fix[]> {
  const model = modelOfPlan(analysis);
  const node = analysis.tree && findNodeAtLocation(analysis.tree, ['data']);
  if (!model || !node) return [];
  const found = await search(model);
  return (found?.candidates ?? []).slice(0, MOST).map(({ data, name, about }) => ({
    title: `Use "${name}": ${about}`,
    offset: node.offset,
    length: node.length,
    text: typeof data === 'string' ? JSON.stringify(data) : JSON.stringify(data, null, 1).replace(/\n\s*/g, ' '),
  }));
}
