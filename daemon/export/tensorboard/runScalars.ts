/** What of a run's log TensorBoard shows as curves over training steps. */
import type { Evaluation, LayerKept, RunEvent } from '../../protocol/events.js';
import type { Scalars } from './eventFile.js';

type Values = [tag: string, value: number][];

/** A loss that is no number any more is one: the curve has a gap where the run diverged. */
const scalar = (value: number | null): number => value ?? NaN;

const kept = (layers: readonly LayerKept[], total: number): Values => {
  const weights = layers.reduce((sum, layer) => sum + layer.weights, 0);
  return [
    ['sparsity/kept_weights', total],
    ...(weights > 0 ? ([['sparsity/kept_share', total / weights]] as Values) : []),
    ...layers
      .filter((layer) => layer.weights > 0)
      .map((layer): [string, number] => [`sparsity/layer/${layer.layer}`, layer.kept / layer.weights]),
  ];
};

const evaluated = ({ loss, error, absoluteError }: Evaluation, where: string): Values => [
  [`loss/${where}`, scalar(loss)],
  [`error/${where}`, scalar(error)],
  ...(absoluteError === undefined ? [] : ([[`absolute_error/${where}`, absoluteError]] as Values)),
];

/**
 * Tags by phase (`train/reference/loss`, `train/l-step/loss`, `train/retrain/loss`), by point in time and part of the data
 * (`error/theta/test`), of the LC iterations (`lc/...`), and kept weights, of all and per layer (`sparsity/...`).
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
      return [
        [`train/${event.phase}/loss`, scalar(event.loss)],
        ['train/learning_rate', event.learningRate],
        ['train/samples_per_second', event.samplesPerSecond],
      ];
    case 'evaluation':
      return evaluated(event, `${event.at}/${event.set}`);
    case 'iteration':
      return [
        ['lc/mu', event.mu],
        ['lc/distance', scalar(event.distance)],
        ['lc/relative_distance', scalar(event.ratio)],
        ['lc/loss', scalar(event.loss)],
        ['lc/error', scalar(event.error)],
        ['lc/support_change', event.supportChange],
        ...kept(event.perLayer, event.kept),
      ];
    case 'point':
      return [['path/error', scalar(event.retrained.error)], ...kept(event.perLayer, event.kept)];
    case 'done':
      return [...kept(event.perLayer, event.kept), ...evaluated(event.retrained, 'result')];
    default:
      return [];
  }
}
