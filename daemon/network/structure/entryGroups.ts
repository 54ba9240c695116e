import type { Network } from '../network.js';
import { sizeOf } from '../../protocol/shape.js';
import type { UnitGroups } from './unitGroups.js';

/**
 * The groups in the form that budgets of neurons read: the weights that must be 0 before a unit can be removed. These are the kernels
 * that make it and the trained vectors that shift or scale it.
 * @returns by weight name: entry i of its data belongs to group entries[i mod entries.length]; -1 if the unit stays.
 * Weights without units are absent.
 */
export function entryGroups(
  { weights }: Pick<Network, 'weights'>,
  { axes }: Pick<UnitGroups, 'axes'>,
): Map<string, readonly number[]> {
  const entries = new Map<string, readonly number[]>();
  for (const { name, shape, trainable } of weights) {
    const own = (axes.get(name) ?? []).filter(({ side }) => side !== 'reads' && (side !== 'along' || trainable));
    const units = own.find(({ groups }) => groups.some((group) => group >= 0)) ?? own.at(-1);
    if (!units) continue;
    const behind = sizeOf(shape.slice(units.axis + 1));
    entries.set(name, Array.from(units.groups).flatMap((group) => new Array<number>(behind).fill(group))); // prettier-ignore
  }
  return entries;
}
