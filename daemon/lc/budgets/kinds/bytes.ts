/** `"bytes": "40 kB"`: the size of the exported sparse package. */
import { bytes as bytesText } from '../../../protocol/format.js';
import { BudgetError } from '../../budgetError.js';
import { bytesConstraint, type BytesBudget } from '../../bytes.js';
import type { Compression } from '../../compression.js';
import { partLength, totalSize, type LayerView } from '../../layerView.js';
import { parseBytes } from '../../share.js';
import { kappaOfBytes, storedBytes, type SparseFormatOf } from '../../sparseFormat.js';
import { countedCompression, mostWeights } from '../counted.js';
import type { Beside, GoalKind, Part, Words } from '../kind.js';
import { AT_MOST, NUMBER, numberOf } from '../typed.js';
import { bytesOfKey, type Values } from '../values.js';
import { unitsOfAnyWeights, unitsWithin } from '../wholeUnits.js';
import { perScope } from '../written.js';

const UNITS = { b: 'B', byte: 'B', bytes: 'B', kb: 'kB', kib: 'kB', mb: 'MB', mib: 'MB', gb: 'GB', gib: 'GB' };
const SIZE = /* @__PURE__ */ new RegExp(`^(?:(?:fit (?:in|into|on)|${AT_MOST})\\s*)?${NUMBER}\\s*(${Object.keys(UNITS).join('|')})(?: on disk)?$`); // prettier-ignore

export const words = {
  role: 'goal',
  value: 'size',
  summary: 'Size on disk of the exported sparse package (in one of several tasks: of these layers in it).',
  help: 'Size on disk of the exported sparse package (1 kB = 1024 bytes).\n\n`kappa = floor((B - overhead) / (value + index bytes))` for fixed-width storage.',
  snippet: '"${1:40 kB}"',
  label: (size) => (typeof size === 'number' ? bytesText(size) : size),
  typed: {
    example: '40 kB',
    offer: 'Fit into {0} on disk',
    read(text) {
      const [, size, unit] = SIZE.exec(text) ?? [];
      return size === undefined ? null : `${numberOf(size)} ${UNITS[unit as keyof typeof UNITS]}`;
    },
  },
  counts: 'bytes',
} as const satisfies Words<'size'>;

interface Bytes extends Part {
  readonly kind: 'bytes';
  readonly bytes: number;
  readonly written: Values['size'];
}

/** Number of weights that fit at any positions: as many as fit with positions of fixed width. */
function fixedWidth({ bytes, written }: Bytes, beside: Beside, layers: readonly LayerView[], format: SparseFormatOf) {
  const sparse = format(layers, beside.quantize);
  const kappa = kappaOfBytes(sparse, bytes);
  if (kappa < 1) {
    const least = storedBytes(sparse, 1);
    throw new BudgetError(
      'bytes',
      `${written} does not hold one weight beside the format's ${sparse.overheadBytes} bytes; the least is ${least}`,
      least,
    );
  }
  return { kappa: Math.min(kappa, mostWeights(beside, layers)), encodedBytes: sparse.encodedBytes };
}

/** The largest number of weights whose file, with positions of variable length, fits. */
function inFile(
  { bytes }: Bytes,
  { units, quantize }: Beside,
  layers: readonly LayerView[],
  encodedBytes: (kernels: Float32Array) => number,
  search: Pick<BytesBudget, 'least' | 'most' | 'compression'>,
): Compression {
  const length = layers.reduce((total, layer) => total + partLength(layer, units), 0);
  const kernels = new Float32Array(totalSize(layers));
  return bytesConstraint(length, {
    bytes,
    ...search,
    encodedBytes(theta) {
      let [from, to] = [0, 0];
      for (const layer of layers) {
        kernels.set(theta.subarray(from, from + layer.size), to);
        from += partLength(layer, units);
        to += layer.size;
      }
      return encodedBytes(kernels);
    },
    // Learning a codebook takes time.
    tolerance: quantize ? 1 / 500 : 0,
  });
}

export const goal: GoalKind<Bytes, Values['size']> = {
  takes: { counted: true, limits: 'weights' },
  parse: (written) => ({ kind: 'bytes', bytes: bytesOfKey('bytes', written), written }),
  kappa(size, beside, layers, format) {
    const { kappa, encodedBytes } = fixedWidth(size, beside, layers, format);
    return encodedBytes ? null : kappa;
  },
  compression(size, beside, layers, format) {
    const { kappa, encodedBytes } = fixedWidth(size, beside, layers, format);
    const compression = (most: number) => countedCompression(beside, layers, most, false);
    // Reports why not even the smallest number is possible.
    const fewest = beside.units ? unitsWithin('bytes', kappa, 'weights', beside, layers) : compression(kappa);
    if (!encodedBytes) return fewest;
    const search = beside.units
      ? unitsOfAnyWeights(kappa, beside, layers)
      : { least: kappa, most: totalSize(layers), compression };
    return inFile(size, beside, layers, encodedBytes, search);
  },
  check: ({ bytes, written }, beside, file) => ({
    asked: String(written),
    ...perScope(beside, file.kernels, (part) => ({ limit: bytes, got: file.bytesOf(part, beside.quantize) })),
  }),
  path: {
    of: parseBytes,
    isShare: () => false,
    range(written) {
      const bytes = parseBytes(written);
      return { key: 'bytes', from: 4 * bytes, to: Math.max(1, Math.round(bytes / 4)), shares: false };
    },
  },
};
