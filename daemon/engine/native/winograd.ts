import { columnUnit, type Geometry, parts, placeSlack, tileSide } from './layout.js';

/** Rows of sums are this long: whole vectors of every level. */
export const paddedColumns = (n: number): number => Math.ceil(n / columnUnit) * columnUnit;

/** Sums over a batch are made in so many parts, none of them empty. */
export const partsOf = (batch: number): number => Math.min(parts, batch);

const points = tileSide ** 2;
/** Of fewer channels a tile's vectors are mostly empty. */
const leastChannels = 12;
/** More filters do not stay in a core's cache with their tiles: pairs of a channel and a filter. */
const mostPairs = 128 * 128;
/** A part of the batch must have tiles enough to pay for the output transform of a filter's gradient. */
const leastSummedTiles = 8;
/** Of the multiplications of the direct way; the tiles themselves take as much time as half of the rest. */
const mostWork = 0.6;

/** Tiles of an image in Winograd's way (kernels/native/winograd/tiles.h): 4 x 4 results of 3 x 3 filters, 2 x 2 of 5 x 5. */
function tilesOf({ kh, oh, ow }: Geometry): number {
  const side = tileSide + 1 - kh;
  return Math.ceil(oh / side) * Math.ceil(ow / side);
}

/** Whether a convolution and its input gradient are faster in Winograd's tiles than directly. */
export function tilesPay(g: Geometry): boolean {
  const { kh, kw, sh, sw, dh, dw, c, f } = g;
  const covered = kh === kw && (kh === 3 || kh === 5) && sh * sw * dh * dw === 1;
  if (!covered || Math.min(c, f) < leastChannels || c * f > mostPairs) return false;
  return points * tilesOf(g) <= mostWork * kh * kw * g.oh * g.ow;
}

/** Whether the filter's gradient is. */
export const summedTilesPay = (g: Geometry): boolean =>
  tilesPay(g) && Math.floor(g.batch / partsOf(g.batch)) * tilesOf(g) >= leastSummedTiles;

/** Floats of the transformed filters: a matrix of rows x columns for each point of a tile. */
export const transformFloats = (rows: number, columns: number): number =>
  points * (rows * paddedColumns(columns) + placeSlack);
