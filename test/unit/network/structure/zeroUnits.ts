import type { Network } from '../../../../daemon/network/network.js';
import type { UnitGroups } from '../../../../daemon/network/structure/unitGroups.js';

/** Sets to 0 what makes the units of some groups, and the trained vectors that shift or scale them. @param keepsBias but for those. */
export function zeroUnits(
  { weights }: Pick<Network, 'weights'>,
  groups: UnitGroups,
  which: readonly number[],
  values: ReadonlyMap<string, Float32Array>,
  keepsBias = false,
): void {
  const specs = new Map(weights.map((weight) => [weight.name, weight]));
  for (const group of which)
    for (const { weight, axis, side, indices } of groups.members(group)) {
      const { shape, trainable } = specs.get(weight)!;
      if (side === 'reads' || !trainable || (side === 'along' && keepsBias)) continue;
      const data = values.get(weight)!;
      const inner = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
      const row = shape[axis]! * inner;
      for (const index of indices)
        for (let at = index * inner; at < data.length; at += row) data.fill(0, at, at + inner);
    }
}
