/** The curves of a run's log that TensorBoard shows over training steps. */
import type { LayerKept, RunEvent } from '../../protocol/events.js';
import { EVALUATION_FIGURES, TELEMETRY, type Column } from '../../protocol/telemetry/columns.js';
import type { Scalars } from './eventFile.js';

type Values = [tag: string, value: number][];

/** A loss that is not finite is left out: the curve has a gap where the run diverged. */
const scalar = (value: number | null): number => value ?? NaN;

/** Values of the placeholders in a column's tag. */
type Blanks = Readonly<Record<string, string>>;

/** The figures that have a tag, of an event or an evaluation that carries these columns. */
const figures = (columns: Readonly<Record<string, Column>>, event: object, blanks: Blanks = {}): Values =>
  Object.entries(columns).flatMap(([name, { tag }]) => {
    const value = (event as Readonly<Record<string, number | null | undefined>>)[name];
    if (tag === undefined || value === undefined) return [];
    return [[tag.replace(/\{(\w+)\}/g, (_, blank: string) => blanks[blank] ?? ''), scalar(value)]];
  });

const keptShares = (layers: readonly LayerKept[], total: number): Values => {
  const weights = layers.reduce((sum, layer) => sum + layer.weights, 0);
  return [
    ...(weights > 0 ? ([['sparsity/kept_share', total / weights]] as Values) : []),
    ...layers
      .filter((layer) => layer.weights > 0)
      .map((layer): [string, number] => [`sparsity/layer/${layer.layer}`, layer.kept / layer.weights]),
  ];
};

const { kept } = TELEMETRY.iteration;
const keptWeights = (event: { perLayer: readonly LayerKept[]; kept: number }): Values => [
  ...figures({ kept }, event),
  ...keptShares(event.perLayer, event.kept),
];

/**
 * Tags by phase (`train/reference/loss`, `train/l-step/loss`, `train/retrain/loss`), by network and part of the data (`error/theta/test`), of the LC
 * iterations (`lc/...`), and kept weights, in all and per layer (`sparsity/...`).
 * @returns the function that turns the events of one run, in order, into scalars; null: the event has none.
 */
export function runScalars(): (event: RunEvent) => Scalars | null {
  let step = 0;
  return (event) => {
    if ('step' in event) step = event.step;
    const values = valuesOf(event);
    return values.length === 0 ? null : { time: event.time, step, values };
  };
}

function valuesOf(event: RunEvent): Values {
  switch (event.event) {
    case 'batch':
      return figures(TELEMETRY.batch, event, { phase: event.phase });
    case 'evaluation':
      return figures(TELEMETRY.evaluation, event, { where: `${event.at}/${event.set}` });
    case 'iteration':
      return [...figures(TELEMETRY.iteration, event), ...keptShares(event.perLayer, event.kept)];
    case 'point':
      return [['path/error', scalar(event.retrained.error)], ...keptWeights(event)];
    case 'done':
      return [...keptWeights(event), ...figures(EVALUATION_FIGURES, event.retrained, { where: 'result' })];
    default:
      return [];
  }
}
