/**
 * Animated PNG of at most 256 colours (PNG, third edition, W3C 2025: acTL, fcTL and fdAT chunks): what moves is written once,
 * and of each further frame only the rectangle that differs from the one before, in which pixels that stay are transparent where that is shorter.
 */
import { crc32, deflateSync } from 'node:zlib';

export interface Frame {
  /** Colours by rows, three bytes (red, green, blue) a pixel. */
  readonly pixels: Uint8Array;
  /** Time for which it is shown. */
  readonly milliseconds: number;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture with an index into the palette for each pixel. */
interface Indexed {
  readonly indices: Uint8Array;
  readonly milliseconds: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOURS = 256;
const LONGEST = 65_535;

/**
 * @param frames each of `width` x `height` pixels; those that are equal to the one before only prolong it.
 * @throws RangeError if there is no frame, a frame has another size, or all frames together have more than 256 colours.
 */
export function encodeApng(width: number, height: number, frames: readonly Frame[]): Buffer {
  if (frames.length === 0) throw new RangeError('An animation has at least one frame.');
  for (const { pixels } of frames)
    if (pixels.length !== 3 * width * height)
      throw new RangeError(`A frame of ${width} x ${height} pixels has ${3 * width * height} bytes, not ${pixels.length}.`);
  const palette = new Map<number, number>();
  const shown = withoutRepeats(frames.map((frame) => indexed(frame, palette)));
  let sequence = 0;
  // The index after the last colour, if one is left.
  const clear = palette.size < COLOURS ? palette.size : null;
  const parts = shown.flatMap((frame, i) => {
    const before = shown[i - 1]?.indices;
    const part = before ? difference(before, frame.indices, width, height) : { x: 0, y: 0, width, height };
    const { data, blend } = shortest(frame.indices, before, width, part, clear);
    const control = chunk('fcTL', frameControl(sequence++, part, frame.milliseconds, blend));
    return [control, i === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([uint32(sequence++), data]))];
  });
  const colours = [...palette.keys(), ...(clear === null ? [] : [0])];
  return Buffer.concat([
    Buffer.from(SIGNATURE),
    // 8 bits a pixel, colours from the palette, deflate, the standard's filters, not interlaced.
    chunk('IHDR', Buffer.concat([uint32(width, height), Buffer.from([8, 3, 0, 0, 0])])),
    // No limit of repetitions.
    chunk('acTL', uint32(shown.length, 0)),
    chunk('PLTE', Buffer.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))),
    ...(clear === null ? [] : [chunk('tRNS', Buffer.from(colours.map((_, i) => (i === clear ? 0 : 255))))]),
    ...parts,
    chunk('IEND', Buffer.alloc(0)),
  ]);
} // prettier-ignore

function indexed({ pixels, milliseconds }: Frame, palette: Map<number, number>): Indexed {
  const indices = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < indices.length; i++) {
    const colour = (pixels[3 * i]! << 16) | (pixels[3 * i + 1]! << 8) | pixels[3 * i + 2]!;
    let index = palette.get(colour);
    if (index === undefined) {
      index = palette.size;
      if (index === COLOURS) throw new RangeError(`An animation has at most ${COLOURS} colours: reduce them first.`);
      palette.set(colour, index);
    }
    indices[i] = index;
  }
  return { indices, milliseconds };
}

function withoutRepeats(frames: readonly Indexed[]): Indexed[] {
  const shown: Indexed[] = [];
  for (const frame of frames) {
    const before = shown.at(-1);
    if (before && Buffer.compare(before.indices, frame.indices) === 0)
      shown[shown.length - 1] = { ...before, milliseconds: before.milliseconds + frame.milliseconds };
    else shown.push(frame);
  }
  return shown;
}

/** The smallest rectangle outside which two different pictures are the same. */
function difference(before: Uint8Array, after: Uint8Array, width: number, height: number): Rectangle {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (before[y * width + x] === after[y * width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** A rectangle of a frame, compressed: whole (blend 0), or its changes over the frame before (blend 1). */
function shortest(
  indices: Uint8Array,
  before: Uint8Array | undefined,
  width: number,
  part: Rectangle,
  clear: number | null,
): { data: Buffer; blend: 0 | 1 } {
  const compressed = (pixels: Uint8Array) => deflateSync(scanlines(pixels, width, part), { level: 9 });
  const whole = compressed(indices);
  if (!before || clear === null) return { data: whole, blend: 0 };
  const changes = compressed(indices.map((index, i) => (index === before[i] ? clear : index)));
  return changes.length < whole.length ? { data: changes, blend: 1 } : { data: whole, blend: 0 };
}

/** Rows of a rectangle, each after its filter byte: no filter, which is best for palettes. */
function scanlines(indices: Uint8Array, width: number, part: Rectangle): Buffer {
  const lines = Buffer.alloc((part.width + 1) * part.height);
  for (let row = 0; row < part.height; row++) {
    const from = (part.y + row) * width + part.x;
    lines.set(indices.subarray(from, from + part.width), row * (part.width + 1) + 1);
  }
  return lines;
}

function frameControl(
  sequence: number,
  { x, y, width, height }: Rectangle,
  milliseconds: number,
  blend: 0 | 1,
): Buffer {
  const times = Buffer.alloc(6);
  times.writeUInt16BE(Math.min(Math.max(Math.round(milliseconds), 1), LONGEST), 0);
  times.writeUInt16BE(1000, 2);
  // The frame stays (dispose 0).
  times[5] = blend;
  return Buffer.concat([uint32(sequence, width, height, x, y), times]);
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}
