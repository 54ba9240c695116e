import type { ResolvedPlan } from '../../daemon/protocol/resolvedPlan.js';
import type { DifferenceRow } from '../../webview/messages/monitor.js';

/** Keys that are not settings: names, paths, and values derived from others. */
const IGNORED = new Set([
  'name',
  'planPath',
  'modelHash',
  'dataHash',
  'compare',
  'baselineOf',
  'continuations',
  'openRates',
]);

function flatten(value: unknown, path: string, out: Map<string, string>): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    if (value.every((part) => typeof part !== 'object')) out.set(path, value.join(', '));
    else value.forEach((part, i) => flatten(part, value.length === 1 ? path : `${path} ${i + 1}`, out));
  } else if (typeof value === 'object') {
    for (const [key, part] of Object.entries(value))
      if (path || !IGNORED.has(key)) flatten(part, path ? `${path}.${key}` : key, out);
  } else out.set(path, String(value));
}

/** The settings in which these plans differ, each with its value in every plan ("–" where it has none). */
export function planDifference(plans: readonly (ResolvedPlan | null)[]): DifferenceRow[] {
  const flat = plans.map((plan) => {
    const out = new Map<string, string>();
    if (plan) flatten(plan, '', out);
    return out;
  });
  const settings = Array.from(new Set(flat.flatMap((map) => Array.from(map.keys()))));
  return settings
    .map((setting) => ({ setting, values: flat.map((map) => map.get(setting) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}
