/** Pictures of pages for the documentation: few colours, so that a page with several of them stays small. */
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { encodeApng, type Frame } from './apng.js';

/** Colours for a picture of a user interface; photographs would need more. */
const REDUCED = { palette: true, colours: 256, dither: 0, effort: 8, compressionLevel: 9 } as const;

export interface Shot {
  readonly png: Buffer;
  readonly milliseconds: number;
}

/** A part of a picture, in pixels. */
export interface Clip {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** @param width in pixels, if it differs from the shot's. @param clip the part that is shown, if it is not all. */
export async function savePicture(
  file: string,
  png: Buffer,
  { width, clip }: { width?: number; clip?: Clip } = {},
): Promise<void> {
  let picture = sharp(png).removeAlpha();
  if (clip) picture = picture.extract(clip);
  if (width) picture = picture.resize({ width });
  await writeFile(file, await picture.png(REDUCED).toBuffer());
}

/** A moving picture of shots of one size. All frames share one palette, which is chosen for all of them together. */
export async function saveMovie(file: string, shots: readonly Shot[], width: number): Promise<void> {
  const frames = await Promise.all(
    shots.map(({ png }) => sharp(png).removeAlpha().resize({ width }).raw().toBuffer({ resolveWithObject: true })),
  );
  const { height } = frames[0]!.info;
  const strip = Buffer.concat(frames.map(({ data }) => data));
  const reduced = await sharp(strip, { raw: { width, height: height * frames.length, channels: 3 } })
    .png({ ...REDUCED, colours: 128 })
    .toBuffer();
  const pixels = await sharp(reduced).removeAlpha().raw().toBuffer();
  const size = 3 * width * height;
  const of = (i: number): Frame => ({
    pixels: pixels.subarray(i * size, (i + 1) * size),
    milliseconds: shots[i]!.milliseconds,
  });
  await writeFile(file, encodeApng(width, height, shots.map((_, i) => of(i))));
} // prettier-ignore
