/** Pooling as operations over images, with channels last. A window over a volume pools each frame, then the frames. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { framesAt, paddedFrames } from '../convolutions/forward.js';
import { imageWindows, windowsOver, type Sliding, type Windows } from '../convolutions/windows.js';

/** Less than every value; not infinite, so that products with 0 stay 0. */
const LOWEST = -3e38;

/** The number of frames that each window has inside the volume. */
const framesInside = ({ counts, strides, sizes, before }: Windows, frames: number): Float32Array =>
  Float32Array.from({ length: counts[0]! }, (_, i) => {
    const start = i * strides[0]! - before[0]!;
    return Math.min(start + sizes[0]!, frames) - Math.max(start, 0);
  });

/** @param frames pooled each by itself, [batch, frames, height, width, channels]. */
function overFrames(op: Operations, kind: 'MaxPool' | 'AvgPool', frames: Node, windows: Windows): Node {
  const [batch] = frames.shape;
  const padded = paddedFrames(op, frames, windows, kind === 'MaxPool' ? LOWEST : 0);
  const places = Array.from({ length: windows.sizes[0]! }, (_, k) => framesAt(op, padded, windows, k));
  const pooled = places.reduce((a, b) => op.binary(kind === 'MaxPool' ? 'Maximum' : 'Add', a, b));
  const volume = op.reshape(pooled, [batch!, windows.counts[0]!, ...pooled.shape.slice(1)]);
  if (kind === 'MaxPool') return volume;
  return op.div(volume, op.graph.constant(framesInside(windows, frames.shape[1]!), [windows.counts[0]!, 1, 1, 1]));
}

/** @param x [batch, ...places, channels]. @returns null if no window fits. */
export function pooled(op: Operations, kind: 'MaxPool' | 'AvgPool', x: Node, sliding: Sliding | null): Node | null {
  const places = x.shape.slice(1, -1);
  const windows = sliding && windowsOver(places, sliding);
  if (!windows) return null;
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const { sizes, counts } = windows;
  const isVolume = places.length === 3;
  const [height, width = 1] = isVolume ? counts.slice(1) : counts;
  const images = op.reshape(x, [isVolume ? batch * places[0]! : batch, places.at(isVolume ? 1 : 0)!, places.length === 1 ? 1 : places.at(-1)!, channels]); // prettier-ignore
  const window = places.length === 1 ? [sizes[0]!, 1] : sizes.slice(-2);
  const shape = [images.shape[0]!, height!, width, channels];
  const y = op.graph.add({ op: kind, inputs: [images], attrs: { window, ...imageWindows(windows) }, shape });
  if (!isVolume) return op.reshape(y, [batch, ...counts, channels]);
  return overFrames(op, kind, op.reshape(y, [batch, places[0]!, height!, width, channels]), windows);
}
