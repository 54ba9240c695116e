/** Explains why units of a layer cannot be removed, and which layers lose theirs with it. */
import type { StayCause } from '../../daemon/protocol/layers/networkGraph.js';
import { count } from '../page/format.js';
import { t } from '../page/strings.js';
import type { Layer } from './graph.js';

function causeText({ why, layer }: StayCause, own: string): string {
  switch (why) {
    case 'input':
      return t('they are one with the inputs of the model');
    case 'output':
      return t('they are the outputs of the model');
    case 'softmax':
      return layer === own ? t('its activation reads all of them') : t('the activation of {0} reads all of them', layer!);
    case 'shared':
      return layer === own ? t('it is used several times with the same weights') : t('{0}, which is used several times, needs all of them', layer!);
    case 'mixes':
      return layer === own ? t('it mixes all of its channels') : t('{0} mixes all channels that it reads', layer!);
  }
} // prettier-ignore

/** The first names of a long list, and how many more there are. */
function named(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? t('{0} and {1} more', shown, names.length - 3) : shown;
}

/** Sentences for the panel beside the picture and for the list. */
export function reasons(layer: Layer, isPruned: boolean | null): string[] {
  const { units, frozen, prunable } = layer;
  const said: string[] = [];
  if (frozen && layer.params > 0)
    said.push(
      t('Frozen in the file (trainable is false): neither trained nor pruned, unless "unfreeze" in the plan names it.'),
    );
  else if (prunable > 0 && isPruned === false) said.push(t('This run does not prune it.'));
  if (prunable === 0) return [...said, t('It has no weights that can be pruned.')];
  if (!units) return said;
  const causes = units.causes.map((cause) => causeText(cause, layer.name)).join('; ');
  if (units.staying === units.count)
    said.push(t('None of its {0} units can go as a whole: {1}. Single weights can.', count(units.count), causes));
  else if (units.staying > 0)
    said.push(t('{0} of its {1} units cannot go: {2}.', count(units.staying), count(units.count), causes));
  else if (units.goWith.length === 0) said.push(t('Each of its {0} units can go.', count(units.count)));
  if (units.goWith.length > 0 && units.staying < units.count)
    said.push(
      units.tiedBy.length > 0
        ? t('{0} ties its units to those of {1}: they go together or not at all.', named(units.tiedBy), named(units.goWith))
        : t('Its units go together with those of {0}, or not at all.', named(units.goWith)),
    ); // prettier-ignore
  return said;
}

/** The same in two words, for the box of a layer; '' if there is no reason. */
export function shortReason({ units, frozen, params, prunable }: Layer): string {
  if (frozen && params > 0) return t('frozen');
  if (!units || prunable === 0) return '';
  const [cause] = units.causes;
  if (cause && units.staying > 0) {
    if (cause.layer === null) return cause.why === 'input' ? t('stays: input') : t('stays: output');
    return cause.why === 'softmax' ? t('stays: softmax') : t('stays: {0}', cause.layer);
  }
  const [tie] = [...units.tiedBy, ...units.goWith];
  return tie === undefined ? '' : t('tied to {0}', tie);
}
