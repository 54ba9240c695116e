/** Samples as byte pictures, for terminals, pages and the editor. */
import type { InputPreview } from '../preview.js';

type Image = NonNullable<InputPreview['image']>;
type Range = Pick<InputPreview, 'minimum' | 'maximum'>;

/** A pixel's [red, green, blue] in 0..255, on the scale of all samples shown. @returns by the pixel's position. */
export function pixelColours({ minimum, maximum }: Range, values: Float32Array, [, , channels]: Image) {
  const scale = maximum > minimum ? 255 / (maximum - minimum) : 0;
  return (pixel: number): [number, number, number] => {
    const at = (channel: number) =>
      Math.round(((values[pixel * channels + (channels === 3 ? channel : 0)] ?? minimum) - minimum) * scale);
    return [at(0), at(1), at(2)];
  };
}

/** [height, width] of pictures that are at most `most` on either side. */
export function thumbnailSize([height, width]: readonly number[], most: number): [number, number] {
  const step = Math.max(1, Math.ceil(Math.max(height!, width!) / most));
  return [Math.ceil(height! / step), Math.ceil(width! / step)];
}

/** The picture downsampled to `most` pixels on its longer side: rows of RGB bytes, of `thumbnailSize`. */
export function thumbnail(range: Range, values: Float32Array, image: Image, most: number): Uint8Array {
  const colour = pixelColours(range, values, image);
  const step = Math.max(1, Math.ceil(Math.max(image[0], image[1]) / most));
  const [rows, columns] = thumbnailSize(image, most);
  const bytes = new Uint8Array(rows * columns * 3);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) bytes.set(colour(y * step * image[1] + x * step), 3 * (y * columns + x));
  return bytes;
}
