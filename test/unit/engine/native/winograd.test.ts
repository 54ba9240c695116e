import { describe, expect, it } from 'vitest';
import type { Geometry } from '../../../../daemon/engine/native/layout.js';
import { transformFloats, summedTilesPay, tilesPay } from '../../../../daemon/engine/native/winograd.js';

/** A layer of ResNet-20, but for what is given. */
const layer = (more: Partial<Geometry> = {}): Geometry => ({
  batch: 64, h: 16, w: 16, c: 32, oh: 16, ow: 16, f: 32, kh: 3, kw: 3, sh: 1, sw: 1, top: 1, left: 1, dh: 1, dw: 1, ...more,
}); // prettier-ignore

describe("the choice of Winograd's tiles", () => {
  it('falls on the inner layers of ResNet-20 and LeNet5', () => {
    expect(tilesPay(layer())).toBe(true);
    expect(tilesPay(layer({ h: 8, w: 8, oh: 8, ow: 8, c: 64, f: 64 }))).toBe(true);
    const second = layer({ h: 12, w: 12, oh: 8, ow: 8, c: 20, f: 50, kh: 5, kw: 5, top: 0, left: 0 });
    expect(tilesPay(second)).toBe(true);
    expect(summedTilesPay(second)).toBe(true);
  });

  it('does not fall on other filters, strides and dilations', () => {
    for (const more of [{ kh: 1, kw: 1 }, { kw: 5 }, { kh: 7, kw: 7 }, { sh: 2, sw: 2 }, { dh: 2, dw: 2 }])
      expect(tilesPay(layer(more))).toBe(false);
  });

  it('does not fall on few channels, on filters that no cache holds, or on tiles that are mostly over the edge', () => {
    expect(tilesPay(layer({ c: 3 }))).toBe(false);
    expect(tilesPay(layer({ c: 256, f: 256 }))).toBe(false);
    // 4 tiles of 16 results for 25.
    expect(tilesPay(layer({ oh: 5, ow: 5 }))).toBe(false);
  });

  it('needs tiles to sum over in every part of the batch', () => {
    const small = { h: 4, w: 4, oh: 4, ow: 4 };
    expect(summedTilesPay(layer({ ...small, batch: 127 }))).toBe(false);
    expect(summedTilesPay(layer({ ...small, batch: 128 }))).toBe(true);
    // A small batch has a part for each image.
    expect(summedTilesPay(layer({ ...small, batch: 8 }))).toBe(false);
    expect(summedTilesPay(layer({ batch: 8 }))).toBe(true);
  });

  it('has room for whole vectors of 36 places', () => {
    expect(transformFloats(20, 50)).toBe(36 * (20 * 64 + 16));
  });
});
