/** Orders formats for a user who chooses one: by the file's use, the best first. */
import type { ExportFormat, ExportUse } from '../protocol/exports.js';
import { findFormat, type FileQuality, type Sizes } from './exportModel.js';
import { networkOf } from './formats.js';

const USES: readonly ExportUse[] = ['web', 'python', 'onnx', 'weights'];

/** A file whose error is larger than the pruned network's by at most this, a tenth of a point, can still be recommended. */
const TOLERANCE = 0.001;

const isFaithful = (quality: FileQuality | undefined, rounded: boolean, prunedError: number | null): boolean => {
  if (!quality || 'why' in quality || prunedError === null) return !rounded;
  return quality.error !== null && quality.error - prunedError <= TOLERANCE;
};

/** On the web a file is sent compressed. */
const weightOf = ({ use, bytes, brotli }: ExportFormat): number => (use === 'web' ? brotli : bytes);

/**
 * Sorted by use, and within one by size; the recommended one is the smallest faithful file that holds the whole network.
 * @param prunedError of the pruned network, on the data that the files were evaluated on; null if they were not.
 */
export function formatsByUse({ formats }: Pick<Sizes, 'formats'>, prunedError: number | null = null): ExportFormat[] {
  const all = formats.map(({ quality, ...sizes }): ExportFormat => {
    const format = findFormat(sizes.format);
    return {
      ...sizes,
      extension: format.extension,
      network: networkOf(format),
      use: format.use,
      recommended: false,
      faithful: isFaithful(quality, format.rounded === true, prunedError),
      ...(quality && ('error' in quality ? { error: quality.error } : { errorNote: quality.why })),
    };
  });
  return USES.flatMap((use) => {
    // Files without a network, such as the masks, come last.
    const own = all
      .filter((one) => one.use === use)
      .sort((a, b) => Number('errorNote' in a) - Number('errorNote' in b) || weightOf(a) - weightOf(b));
    const best = own.find((one) => one.network !== null && one.faithful);
    if (!best) return own;
    return [{ ...best, recommended: true }, ...own.filter((one) => one !== best)];
  });
}
