/** The curves of evaluations: the network evaluated, the part of the data, and the line's style. */
import type { EvaluationPlace, EvaluationSet } from '../../daemon/protocol/telemetry/columns.js';
import { t } from '../page/strings.js';
import type { Shape } from '../page/theme.js';

/** The part of the data, in a word. */
export const setName = (set: EvaluationSet): string =>
  ({ train: t('training'), validation: t('validation'), test: t('test') })[set];

const SETS: readonly { set: EvaluationSet; colour: number; shape: Shape }[] = [
  { set: 'train', colour: 0, shape: 'circle' },
  { set: 'validation', colour: 1, shape: 'square' },
  { set: 'test', colour: 2, shape: 'diamond' },
];

interface Place {
  readonly place: EvaluationPlace;
  readonly name: string;
  readonly hint: string;
  readonly dash: number;
  /** Evaluated once: drawn as a point with a marker of its own. */
  readonly single?: Shape;
}

const PLACES: readonly Place[] = [
  {
    place: 'theta',
    name: t('pruned weights'),
    hint: t('θ: what the budget leaves of the trained weights, all others zero'),
    dash: 0,
  },
  {
    place: 'w',
    name: t('trained weights'),
    hint: t('w: all weights, as training has them; they become the pruned ones'),
    dash: 2,
  },
  {
    place: 'direct',
    name: t('cut once'),
    hint: t('Direct compression: the reference cut to the budget in one go, without training'),
    dash: 0,
    single: 'cross',
  },
  {
    place: 'retrained',
    name: t('after retraining'),
    hint: t('θ after the weights that are left were trained once more: the result'),
    dash: 0,
    single: 'star',
  },
];

/** Each network on each part of the data, in the order of the legend. The reference is a level line, not a curve. */
export const evaluationCurves = () =>
  PLACES.flatMap(({ place, name, hint, dash, single }) =>
    SETS.map(({ set, colour, shape }) => ({
      table: `${place}/${set}` as const,
      label: `${setName(set)} · ${name}`,
      hint,
      colour,
      dash,
      shape: single ?? shape,
      ...(single && { scatter: true }),
      quietInOverlay: place === 'w' || set === 'train',
    })),
  );
