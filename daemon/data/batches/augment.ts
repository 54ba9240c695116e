import { createRandom } from '../../lc/random.js';

/** Augmentation of training images [h, w, c], drawn again for every sample of every batch. */
export interface Augmentation {
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Mirror left-right with probability 1/2. */
  readonly flip: boolean;
  /** Shift by up to this many pixels in each direction, uniformly. */
  readonly shift: number;
}

/**
 * Flips and shifts the first `count` images of `images` in place. Pixels shifted in are 0 in the model's own input, as in He et al. 2016, sec. 4.2
 * (zero padding after the mean is subtracted).
 * @param seed, stream: the same pair gives the same draws, so a resumed run sees the same images.
 */
export function augmentImages(
  augmentation: Augmentation,
  images: Float32Array,
  count: number,
  seed: number,
  stream: number,
): void {
  const random = createRandom(seed, stream);
  const [height, width, channels] = augmentation.shape;
  const size = height * width * channels;
  const source = new Float32Array(size);
  const span = 2 * augmentation.shift + 1;
  for (let k = 0; k < count; k++) {
    const mirrored = augmentation.flip && random.next() < 0.5;
    const dy = augmentation.shift > 0 ? random.below(span) - augmentation.shift : 0;
    const dx = augmentation.shift > 0 ? random.below(span) - augmentation.shift : 0;
    if (!mirrored && dx === 0 && dy === 0) continue;
    const image = images.subarray(k * size, (k + 1) * size);
    source.set(image);
    image.fill(0);
    for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
      for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
        const column = mirrored ? width - 1 - (x - dx) : x - dx;
        const from = ((y - dy) * width + column) * channels;
        const to = (y * width + x) * channels;
        for (let c = 0; c < channels; c++) image[to + c] = source[from + c]!;
      }
    }
  }
}
