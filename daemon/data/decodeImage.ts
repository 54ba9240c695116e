import { createRequire } from 'node:module';
import { join } from 'node:path';
import type Sharp from 'sharp';
import { UserError } from '../protocol/errors.js';
import { invalidData } from './dataError.js';
import { decodeBmp, isBmp } from './decodeBmp.js';
import { requirePackage } from './packageFolder.js';

/** Pixels as stored in a PNG or JPEG, [height, width, channels] with values 0 to 255. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export type Decode = (name: string, file: Uint8Array, size?: { width: number; height: number }) => Promise<Pixels>;

/**
 * The decoder: RGB, 8 bits, resized to exactly `size` where one is given. Runs on sharp's own threads.
 * @param workspace whose copy of sharp comes first.
 * @throws UserError('data-missing') when sharp is not installed or does not load.
 */
export function loadDecoder(workspace: string): Decode {
  const { folder } = requirePackage('sharp', workspace, 'Reading PNG and JPEG files needs');
  let sharp: typeof Sharp;
  try {
    sharp = createRequire(join(folder, 'package.json'))(folder) as typeof Sharp;
  } catch (error) {
    const why = (error as Error).message.trim().split('\n')[0]!;
    throw new UserError(
      'data-missing',
      `sharp in ${folder} does not load (${why}); install it again: "npm install sharp"`,
    );
  }
  return async (name, file, size) => {
    try {
      const bitmap = isBmp(file) ? decodeBmp(file) : null;
      const raw = bitmap && { width: bitmap.width, height: bitmap.height, channels: 3 as const };
      const image = sharp(bitmap?.data ?? file, { limitInputPixels: 1 << 28, ...(raw && { raw }) })
        .autoOrient()
        .toColourspace('srgb')
        .removeAlpha();
      if (size) image.resize(size.width, size.height, { fit: 'fill' });
      const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
      return {
        height: info.height,
        width: info.width,
        data: info.channels === 3 ? data : tripled(data, info.channels),
      };
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
      throw invalidData(
        name,
        isCut(why)
          ? `the image is cut short (${why}); get it again, or remove it`
          : `not a readable image (${why}); repair or remove it`,
      );
    }
  };
}

/** As the libraries of the formats say that bytes are missing at the end. */
const isCut = (why: string): boolean => /premature|truncat|cut short|read error|end of (file|stream|image)/i.test(why);

function tripled(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3);
  for (let i = 0; i < out.length; i++) out[i] = data[Math.floor(i / 3) * channels]!;
  return out;
}

/** Luma of ITU-R BT.601 in the integer arithmetic of Pillow's "L" mode, so that grey images match those of Python. */
export function toGrey(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const at = 3 * i;
    grey[i] = (rgb[at]! * 19595 + rgb[at + 1]! * 38470 + rgb[at + 2]! * 7471 + 0x8000) >> 16;
  }
  return grey;
}
