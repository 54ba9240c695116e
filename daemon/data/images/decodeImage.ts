import { createRequire } from 'node:module';
import { join } from 'node:path';
import type Sharp from 'sharp';
import { UserError } from '../../protocol/errors.js';
import { countText, invalidData } from '../dataError.js';
import { decodeBmp, isBmp } from './decodeBmp.js';
import { requirePackage } from '../builtin/packageFolder.js';

/** Pixels of a PNG or JPEG, upright, [height, width, channels] with values 0 to 255. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
  /** The file's EXIF says that its pixels are rotated or mirrored. */
  readonly turned: boolean;
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
      const stored = sharp(bitmap?.data ?? file, { limitInputPixels: 1 << 28, ...(raw && { raw }) });
      const turned = ((await stored.metadata()).orientation ?? 1) > 1;
      const image = stored.autoOrient().toColourspace('srgb').removeAlpha();
      if (size) image.resize(size.width, size.height, { fit: 'fill' });
      const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
      return {
        height: info.height,
        width: info.width,
        data: info.channels === 3 ? data : tripled(data, info.channels),
        turned,
      };
    } catch (error) {
      if (isCutShort(file))
        throw invalidData(
          name,
          `the image is cut short (there are ${countText(file.length)} bytes of it); get it again, or remove it`,
        );
      const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
      throw invalidData(name, `not a readable image (${why}); repair or remove it`);
    }
  };
}

/** Whether a file that does not decode is truncated: it lacks the end of its format. */
function isCutShort(file: Uint8Array): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const has = (magic: string, at = 0): boolean => bytes.toString('latin1', at, at + magic.length) === magic;
  const last = (magic: string): number => bytes.lastIndexOf(magic, undefined, 'latin1');
  if (has('\x89PNG')) return last('IEND') < 0;
  // The end of the image follows the start of its last scan; a thumbnail before it has both too.
  if (has('\xff\xd8')) return last('\xff\xd9') <= last('\xff\xda');
  if (has('RIFF') && bytes.length >= 8) return bytes.readUInt32LE(4) + 8 > bytes.length;
  if (isBmp(file)) return bytes.readUInt32LE(2) > bytes.length;
  return has('GIF8') && bytes.at(-1) !== 0x3b;
}

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
