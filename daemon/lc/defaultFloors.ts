/** Default floors of a budget without floors in the plan, as far as they fit. */

/** The minimum that a layer should keep: weights, or neurons. */
export interface WantedFloor {
  readonly name: string;
  readonly wanted: number;
  /** Cost of one of them in the budget's unit. */
  readonly cost: number;
}

/**
 * A layer's floor as a share of its part under a uniform cut. It applies if cost or size differ so much between layers that the nearest theta would
 * empty some (weights of convolutions cost hundreds of times those of dense layers; filters have fewer weights than neurons): an empty layer cuts the
 * network.
 */
const DEFAULT_FLOOR = 1 / 2;

/** The floor of a layer of `size` under a budget that a uniform cut to this share would meet. */
export const wantedFloor = (even: number, size: number): number => Math.floor(DEFAULT_FLOOR * even * size);

const BISECTIONS = 50;

/**
 * As many of the floors as fit into `room`, in units of the budget: first one for each layer, the cheapest first, then the largest common share of
 * the rest.
 * @returns the floors in the order of `layers`, and the names of layers without one.
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

/** For users: layers that may become empty. */
export const withoutFloors = (names: readonly string[]): { notes?: readonly string[] } =>
  names.length === 0
    ? {}
    : {
        notes: [
          `the budget leaves no room to keep a part of each layer: ${names.map((name) => `"${name}"`).join(', ')} may be emptied, which cuts the network`,
        ],
      };
