/** The band of the error chart that ends when high errors of a run's pruned weights are no longer normal. */
import type { Band } from './line.js';
import type { RunData, XAxis } from '../monitor/runData.js';
import { t } from '../page/strings.js';
import { settledAt } from './settled.js';

/** @returns null if the run has no iterations of its own, or nothing can be predicted yet; for a path, the first budget's. */
export function settledBand(run: RunData, axis: XAxis): Band | null {
  const { summary, path } = run.view;
  if (summary.method !== 'lc' || path) return null;
  const isOver = summary.state === 'done' || summary.state === 'failed';
  const left = isOver ? 0 : Math.max(0, summary.iterations - summary.iteration - 1);
  const column = (name: string) => run.y('iteration', name);
  const settled = settledAt({ x: run.x('iteration', axis), mu: column('mu'), ratio: column('ratio') }, left);
  if (!settled) return null;
  return {
    to: settled.x,
    beyond: t('high errors are still normal here'),
    label: settled.expected ? t('high errors are normal until about here') : t('high errors are normal until here'),
  };
}
