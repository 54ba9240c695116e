import type { Network } from '../../../../daemon/network/network.js';
import { reasonText } from '../../../../daemon/network/structure/reasons.js';
import { unitGroups } from '../../../../daemon/network/structure/structure.js';

/** A group as one line: "a.kernel[1]: 0 makes, a.bias[0]: 0 along, b.kernel[0]: 0 reads". */
export function groupLines(network: Network): string[] {
  const groups = unitGroups(network);
  return Array.from({ length: groups.count }, (_, group) =>
    groups.members(group).map(({ weight, axis, side, indices }) => `${weight}[${axis}]: ${indices.join(' ')} ${side}`).join(', '),
  );
} // prettier-ignore

/** Why units stay: "b.kernel: all 2 units stay: tied to the model's output". */
export const reasonLines = (network: Network): string[] =>
  unitGroups(network).reasons.map((reason) => `${reason.weight}: ${reasonText(reason)}`);

/** The ties between members of a group: "sum add_1". */
export const tieLines = (network: Network, group: number): string[] =>
  unitGroups(network).ties(group).map(({ coupling, layer }) => `${coupling} ${layer}`); // prettier-ignore
