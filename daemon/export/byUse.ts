/** Formats as a person chooses among them: by what a file is for, the best first. */
import type { ExportFormat, ExportUse } from '../protocol/exports.js';
import { findFormat, type FileQuality, type Sizes } from './exportModel.js';
import { networkOf } from './formats.js';

const USES: readonly ExportUse[] = ['web', 'python', 'onnx', 'weights'];

/** A file may be worse than the pruned network by this, a tenth of a point, and still be recommended. */
const TOLERANCE = 0.001;

const isFaithful = (quality: FileQuality | undefined, rounded: boolean, prunedError: number | null): boolean => {
  if (!quality || 'why' in quality || prunedError === null) return !rounded;
  return quality.error !== null && quality.error - prunedError <= TOLERANCE;
};

/** On the web a file is sent compressed. */
const weightOf = ({ use, bytes, brotli }: ExportFormat): number => (use === 'web' ? brotli : bytes);

/**
 * Sorted by use, and within one by size; recommended is the smallest that holds the whole network and is faithful.
 * @param prunedError of the pruned network, on the data that the files were judged on; null where they were not.
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
    // What is no network at all, such as the masks, comes last.
    const own = all
      .filter((one) => one.use === use)
      .sort((a, b) => Number('errorNote' in a) - Number('errorNote' in b) || weightOf(a) - weightOf(b));
    const best = own.find((one) => one.network !== null && one.faithful);
    if (!best) return own;
    return [{ ...best, recommended: true }, ...own.filter((one) => one !== best)];
  });
}
