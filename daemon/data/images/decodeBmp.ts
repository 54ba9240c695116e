/**
 * Windows bitmaps, which the image library does not decode: headers of 12 bytes (OS/2) and of 40 and more, 1 to 32 bits a pixel, with palettes and
 * bit masks, bottom-up or top-down ([MS-WMF] 2.2.2; BITMAPV5HEADER).
 */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** RGB, row by row from the top. */
  readonly data: Uint8Array;
}

const MAX_PIXELS = 1 << 28;
const FILE_HEADER = 14;

export const isBmp = (file: Uint8Array): boolean => file[0] === 0x42 && file[1] === 0x4d && file.length > 26;

/** @throws Error with the reason in a few words: a truncated file, a compressed bitmap. */
export function decodeBmp(file: Uint8Array): Bitmap {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const need = (bytes: number): void => {
    if (bytes > file.length) throw new Error(`the bitmap is cut short at ${file.length} bytes`);
  };
  need(FILE_HEADER + 12);
  const headerSize = view.getUint32(14, true);
  const old = headerSize === 12;
  if (!old && (headerSize < 40 || headerSize > 124)) throw new Error('a bitmap header of an unknown size');
  need(FILE_HEADER + headerSize);
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? 0 : view.getUint32(30, true);
  if (width <= 0 || height === 0 || width * height > MAX_PIXELS) throw new Error(`a bitmap of ${width} x ${height}`);
  if (compression !== 0 && compression !== 3 && compression !== 6)
    throw new Error('a compressed bitmap; save it as PNG');
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`a bitmap of ${bits} bits a pixel`);
  const start = view.getUint32(10, true);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  need(start + rowBytes * height);
  const color = bits <= 8 ? paletteColor(view, headerSize, bits, start) : maskedColor(view, bits, compression);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = start + rowBytes * (signedHeight < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++) color(row, x, data, (y * width + x) * 3);
  }
  return { width, height, data };
}

/** Writes the color of pixel x of the row that begins at byte `row`. */
type Color = (row: number, x: number, out: Uint8Array, at: number) => void;

function paletteColor(view: DataView, headerSize: number, bits: number, start: number): Color {
  const entry = headerSize === 12 ? 3 : 4;
  const first = FILE_HEADER + headerSize;
  const stated = headerSize === 12 ? 0 : view.getUint32(46, true);
  const colors = Math.min(stated || 2 ** bits, 2 ** bits, Math.floor((start - first) / entry));
  return (row, x, out, at) => {
    const bit = x * bits;
    const byte = view.getUint8(row + (bit >> 3));
    const index = (byte >> (8 - bits - (bit & 7))) & (2 ** bits - 1);
    if (index >= colors) throw new Error(`color ${index} of a bitmap with ${colors} colors`);
    for (let c = 0; c < 3; c++) out[at + c] = view.getUint8(first + index * entry + 2 - c);
  };
}

function maskedColor(view: DataView, bits: number, compression: number): Color {
  if (bits === 24)
    return (row, x, out, at) => {
      for (let c = 0; c < 3; c++) out[at + c] = view.getUint8(row + 3 * x + 2 - c);
    };
  const masks =
    compression === 0
      ? bits === 16
        ? [0x7c00, 0x3e0, 0x1f]
        : [0xff0000, 0xff00, 0xff]
      : [54, 58, 62].map((at) => view.getUint32(at, true));
  const channels = masks.map((mask) => {
    if (mask === 0) throw new Error('a bitmap without a mask for each color');
    const shift = 31 - Math.clz32(mask & -mask);
    return { shift, largest: mask >>> shift };
  });
  return (row, x, out, at) => {
    const value = bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    channels.forEach(({ shift, largest }, c) => {
      out[at + c] = Math.round((((value >>> shift) & largest) * 255) / largest);
    });
  };
}
