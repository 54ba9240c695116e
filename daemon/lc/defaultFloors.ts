/** Floors that a budget has where the plan gives none, as far as there is room for them. */

/** What a layer would keep at least: weights of it, or its neurons. */
export interface WantedFloor {
  readonly name: string;
  readonly wanted: number;
  /** What one of them takes of the budget. */
  readonly cost: number;
}

/**
 * Of what an even cut would leave each layer, this share is its floor where cost or size differ so much between layers that
 * the nearest theta would empty some (weights of convolutions cost hundreds of times those of dense layers; filters have
 * fewer weights than neurons): an empty layer cuts the network.
 */
const DEFAULT_FLOOR = 1 / 2;

/** What a layer of `size` wants at least under a budget that an even cut would meet with this share. */
export const wantedFloor = (even: number, size: number): number => Math.floor(DEFAULT_FLOOR * even * size);

const BISECTIONS = 50;

/**
 * As many of the floors as fit into `room`, in units of the budget: first one for each layer, the cheapest first, then of what they want
 * beyond that the largest share that fits, the same for all.
 * @returns the floors in the order of `layers`, and the names of layers that are left without one.
 */
export function fittingFloors(
  layers: readonly WantedFloor[],
  room: number,
): { readonly floors: readonly number[]; readonly without: readonly string[] } {
  let left = room;
  const first = layers.map(() => 0);
  const cheapest = [...layers.entries()].filter(([, { wanted }]) => wanted > 0).sort(([, a], [, b]) => a.cost - b.cost);
  for (const [i, { cost }] of cheapest) {
    if (cost > left) break;
    first[i] = 1;
    left -= cost;
  }
  const raised = (share: number): number[] =>
    layers.map(({ wanted }, i) => (first[i] === 0 ? 0 : 1 + Math.floor(share * (wanted - 1))));
  const fits = (floors: readonly number[]): boolean =>
    floors.reduce((total, floor, i) => total + floor * layers[i]!.cost, 0) <= room;
  let floors = raised(1);
  if (!fits(floors)) {
    let [low, high] = [0, 1];
    for (let i = 0; i < BISECTIONS; i++) {
      const middle = (low + high) / 2;
      if (fits(raised(middle))) low = middle;
      else high = middle;
    }
    floors = raised(low);
  }
  return { floors, without: layers.filter(({ wanted }, i) => wanted > 0 && first[i] === 0).map(({ name }) => name) };
}

/** For people: layers that nothing saves from being emptied. */
export const withoutFloors = (names: readonly string[]): { notes?: readonly string[] } =>
  names.length === 0
    ? {}
    : {
        notes: [
          `the budget leaves no room to keep a part of each layer: ${names.map((name) => `"${name}"`).join(', ')} may be emptied, which cuts the network`,
        ],
      };
