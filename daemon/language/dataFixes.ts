/** Quick fixes for missing data: data that fits the plan's model. */
import { findNodeAtLocation } from 'jsonc-parser';
import type { FoundData } from '../protocol/dataChoice.js';
import { ARCHITECTURES } from '../protocol/plan.js';
import type { Fix, PlanAnalysis } from './planAnalysis.js';

/** Most candidates offered directly; a command lists the others. */
const MOST = 6;

/** A model file, absolute, or an architecture that is trained first. */
export type ModelNamed = string | { readonly architecture: (typeof ARCHITECTURES)[number] };

/** The plan's model, if it can be read. */
export function modelOfPlan({ tree, model }: Pick<PlanAnalysis, 'tree' | 'model'>): ModelNamed | null {
  if (model) return model.exists ? model.path : null;
  const name: unknown = tree && findNodeAtLocation(tree, ['model', 'architecture'])?.value;
  const architecture = ARCHITECTURES.find((one) => one === name);
  return architecture === undefined ? null : { architecture };
}

/**
 * Replacements for the plan's "data": always the whole value, so that no column names of other data stay.
 * @param search finds data that fits a model; null if no search is possible.
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
