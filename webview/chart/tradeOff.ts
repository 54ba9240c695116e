/** Error against kept weights of the compared runs: one line per method, and plain magnitude pruning as the baseline. */
import type { LegendEntry } from './curves.js';
import { setName } from './evaluations.js';
import { percent } from '../page/format.js';
import type { Level, Line } from './line.js';
import type { RunView } from '../messages/monitor.js';
import { t } from '../page/strings.js';
import type { Shape, Theme } from '../page/theme.js';

/** What a method is called and looks like in every plot of error against kept weights. */
export const METHODS: readonly { method: string; label: string; colour: number; dash: number; shape: Shape }[] = [
  { method: 'lc', label: t('LC'), colour: 0, dash: 0, shape: 'circle' },
  { method: 'magnitude', label: t('Magnitude, retrained'), colour: 1, dash: 1, shape: 'square' },
  { method: 'gradual', label: t('Gradual magnitude, retrained'), colour: 3, dash: 3, shape: 'triangle' },
  { method: 'direct', label: t('Magnitude, cut once'), colour: 4, dash: 2, shape: 'cross' },
];

interface Point {
  method: string;
  kept: number;
  error: number;
}

/** The point at which each run ended, and the one that direct compression alone reached. Runs without an error yet have no point. */
export function tradeOffPoints(runs: readonly RunView[]): Point[] {
  return runs.flatMap(({ summary, directError }) => {
    if (summary.kept === null || !summary.prunable) return [];
    const kept = summary.kept / summary.prunable;
    return [
      ...(summary.error === null ? [] : [{ method: summary.method, kept, error: summary.error }]),
      ...(directError === null ? [] : [{ method: 'direct', kept, error: directError }]),
    ];
  });
}

export function tradeOffLines(
  runs: readonly RunView[],
  hidden: ReadonlySet<string>,
  theme: Theme,
): { lines: Line[]; legend: LegendEntry[]; levels: Level[] } {
  const points = tradeOffPoints(runs);
  // The part of the data that every run's errors are of; runs of different data have none in common.
  const [set, ...others] = new Set(runs.map((run) => run.errorSet));
  const part = set && others.length === 0 ? setName(set) : null;
  const legend: LegendEntry[] = METHODS.flatMap(({ method, label, colour, dash, shape }) => {
    // Runs of one model share their direct compression: one point for each kept share.
    const own = points
      .filter((point) => point.method === method)
      .sort((a, b) => a.kept - b.kept)
      .filter((point, i, all) => method !== 'direct' || point.kept !== all[i - 1]?.kept);
    if (own.length === 0) return [];
    const kind = `method/${method}`;
    const ofPart = part === null ? label : `${part} · ${label}`;
    const line: Line = {
      id: kind,
      kind,
      label: ofPart,
      x: Float64Array.from(own, (p) => p.kept),
      y: Float64Array.from(own, (p) => p.error),
      colour: theme.palette[colour]!,
      dash,
      shape,
      points: true,
    };
    return [{ kind, label: ofPart, shown: !hidden.has(kind), lines: [line], format: (v: number) => percent(v) }];
  });
  const references = runs.flatMap(({ referenceError }) => (referenceError === null ? [] : [referenceError]));
  return {
    lines: legend.filter((entry) => entry.shown).flatMap((entry) => entry.lines),
    legend,
    levels: references.length
      ? [{ y: Math.min(...references), label: t('reference {0}', percent(Math.min(...references))) }]
      : [],
  };
}
