/** The addon trusts nothing: it checks its arguments, their lifetimes, and the content of programs. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Addon, loadAddon, type Program } from '../../../../daemon/engine/native/addon.js';
import { program as op, registers, step, stepLength } from '../../../../daemon/engine/native/layout.js';

const found = loadAddon();
const path = fileURLToPath(
  new URL(
    `../../../../daemon/engine/kernels/prebuilt/lc-kernels-${process.platform}-${process.arch}.node`,
    import.meta.url,
  ),
);

/** Buffer 1 is read, buffer 2 written: sums along each row of rows x columns at offsets. */
const sums = (rows: number, columns: number, from = 0, to = 0) => [op.cumulativeSum, 1, from, 2, to, rows, columns, 1, 0, 0]; // prettier-ignore
const geometry = (more: Partial<Record<string, number>> = {}) =>
  Object.values({ batch: 1, h: 4, w: 4, c: 1, oh: 3, ow: 3, f: 1, kh: 2, kw: 2, sh: 1, sw: 1, top: 0, left: 0, dh: 1, dw: 1, ...more }); // prettier-ignore
/** Two products of [2, 2] matrices, buffer 1 x buffer 3 to buffer 2. */
const product = (more: Partial<Record<'lead' | 'leadA' | 'leadC' | 'rowA', number>> = {}) => {
  const { lead, leadA, leadC, rowA } = { lead: 2, leadA: 4, leadC: 4, rowA: 2, ...more };
  const places = [[1, 0], [3, 0], [-1, 0], [2, 0]].flat();
  return [op.gemm, ...places, 2, 2, 2, rowA, 2, 2, 0, 0, 0, 1, 1, 1, lead, 0, 0, 0, leadA, 0, 0, 0, 4, 0, 0, 0, leadC];
}; // prettier-ignore
const noPool = [0, 0, 0, 0, 0, 0];
const convolution = (g: number[], pooled = 0, pool = noPool, index: readonly number[] = [-1, 0]) =>
  [op.convolution, ...g, 1, 0, 2, 0, -1, 0, 3, 0, 0, pooled, ...pool, ...index, -1, 0]; // prettier-ignore
const maxPool = (pool: number[], top = 0) => [op.maxPool, 1, 0, 2, 0, 3, 0, 1, 4, 4, 1, ...pool, top, 0];
const fused = (count: number, ...steps: number[][]) => [op.fused, 1, 4, count, -1, 0, ...steps.flatMap(padded)];
const padded = (words: number[]) => [...words, ...new Array<number>(stepLength - words.length).fill(0)];
const load = (register: number) => [step.load, register, 0, 0, 1, 0];
const move = (shape: number[], inStrides: number[], outStrides: number[], fill = 0) => {
  const on = (values: number[], filler: number) => [...values, ...new Array<number>(8 - values.length).fill(filler)];
  return [op.move, 1, 0, 2, 0, fill, 0, ...on(shape, 1), ...on(inStrides, 0), ...on(outStrides, 0)];
};

describe.skipIf('reason' in found)('the addon', () => {
  const addon = ('addon' in found ? found.addon : undefined) as Addon;
  const create = (code: readonly number[], sizes = [64, 16, 16, 16]): Program =>
    addon.create(
      sizes.map((size) => new Float32Array(size)),
      Int32Array.from(code),
      1,
      addon.levels()[0]!,
    );

  it.each<[string, number[], number[]?]>([
    ['sums', sums(4, 4)],
    ['products', product()],
    ['convolution', convolution(geometry())],
    ['pooled convolution', convolution(geometry(), 1, [3, 3, 1, 1, 1, 1], [0, 0])],
    ['max pooling', maxPool([2, 2, 2, 2, 2, 2])],
    ['a chain', fused(3, load(0), [step.Neg, 1, 0, 0], [step.store, 0, 1, 0, 2, 0])],
    ['a turned copy', move([4, 4], [1, 4], [4, 1])],
    ['a fill', move([0], [0], [0], 16)],
  ])('runs what fits: %s', (_, code, sizes) => {
    const program = create(code, sizes);
    expect(() => addon.runNow(program)).not.toThrow();
    addon.free(program);
  });

  const outside = /an operand reaches outside its buffer/;
  it.each<[string, number[], RegExp, number[]?]>([
    ['a truncated operation', sums(4, 4).slice(0, 3), /ends in the middle/],
    ['nothing but its number', [op.gemm], /ends in the middle/],
    ['an unknown operation', [99, 0, 0], /no such operation/],
    ['more rows than there are', sums(100_000, 10), outside],
    ['one row too many', sums(5, 4), outside],
    ['an offset one too large', sums(4, 4, 1), outside],
    ['an offset behind the buffer', sums(1, 1, 17), /offset lies outside/],
    ['a negative offset', sums(1, 1, -1), /offset lies outside/],
    ['a buffer that is not there', [op.cumulativeSum, 9999, 0, 2, 0, 1, 4, 1, 0, 0], /no such buffer/],
    ['a negative buffer', [op.cumulativeSum, -7, 0, 2, 0, 1, 4, 1, 0, 0], /no such buffer/],
    ['no tensor where one is needed', [op.cumulativeSum, -1, 0, 2, 0, 1, 4, 1, 0, 0], /operand is missing/],
    ['a size of 0', sums(0, 4), /size is out of range/],
    ['a negative size', sums(-4, -4), /size is out of range/],
    ['sizes whose product overflows', sums(65_536, 65_536), /size is out of range/],
    ['a result over what is read', [op.cumulativeSum, 1, 0, 1, 4, 2, 4, 1, 0, 0], /overlaps/],
    ['a count of 1000 steps', fused(1000, load(0)), /ends in the middle/],
    ['a negative count', fused(-1, load(0)), /ends in the middle/],
    ['a register that is not there', fused(1, load(registers)), /no such register/],
    ['a register that nothing was written to', fused(1, [step.Neg, 1, 0, 0]), /nothing was written/],
    ['a selection by no register', fused(2, load(0), [step.Select, 1, 0, 0, 77]), /nothing was written/],
    ['an unknown step', fused(1, [999, 0, 0, 0]), /no such step/],
    ['a store of what was not just computed', fused(2, load(0), [step.store, 0, 0, 0, 2, 0]), /store does not follow/],
    ['columns shared by no rows', fused(1, [step.loadColumns, 0, 0, 0, 1, 0, 0, 1, 1]), /size is out of range/],
    ['rows that repeat after none', fused(1, [step.loadRow, 0, 0, 0, 1, 0, 1, 0, 1]), /size is out of range/],
    ['rows outside', fused(1, [step.loadRow, 0, 0, 0, 1, 16, 1, 1, 1]), outside],
    [
      'a number a row and one for each column',
      fused(3, load(0), [step.loadRow, 1, 0, 0, 1, 0, 1, 1, 1], [step.Add, 2, 0, 1]),
      /registers of different sizes/,
    ],
    [
      'a sum of rows of one number',
      fused(2, [step.loadRow, 1, 0, 0, 1, 0, 1, 1, 1], [step.sumRow, 2, 1, 1]),
      /registers of different sizes/,
    ],
    ['products whose last matrix is not there', product({ leadA: 16 }), outside],
    ['products whose last result is not there', product({ leadC: 13 }), outside],
    ['products with a negative way to the next', product({ leadA: -4 }), /size is out of range/],
    ['products of matrices whose rows overlap', product({ rowA: 1 }), /rows of a matrix overlap/],
    ['too many products', product({ lead: 2 ** 30 }), /size is out of range/],
    ['a filter larger than its buffer', convolution(geometry({ kh: 4, oh: 1, kw: 4, ow: 1, f: 2 })), outside],
    ['windows beyond the image', convolution(geometry({ oh: 9, ow: 1 })), /window lies outside/],
    ['padding as wide as the window', convolution(geometry({ top: 2 })), /window lies outside/],
    ['a stride beyond 32 bits', convolution(geometry({ sh: 2 ** 31 - 1 })), /window lies outside|out of range/],
    ['more results of tiles than can be counted', [op.winogradInputGradient, ...geometry({ oh: 2 ** 31 - 1, kh: 3, kw: 3 }), 1, 0, 2, 0, 3, 0, -1, 0, -1, 0], /out of range|window lies outside/], // prettier-ignore
    [
      'a pooling over more than was convolved',
      convolution(geometry(), 1, [2, 2, 2, 2, 2, 2], [0, 0]),
      /window lies outside/,
    ],
    ['places without a buffer', convolution(geometry(), 1, [3, 3, 1, 1, 1, 1]), /operand is missing/],
    ['a pooling of more than the image', maxPool([2, 2, 2, 2, 3, 2]), /window lies outside/],
    ['a pooling whose padding is a window', maxPool([2, 2, 2, 2, 2, 2], 2), /window lies outside/],
    ['a copy that runs out of its source', move([4, 5], [4, 1], [5, 1]), outside],
    ['a copy that runs backwards out of it', move([4], [-1], [1]), outside],
    ['a copy of negative and huge sizes', move([1024, -54, 1073741824, 1024, 65536], [0], [0]), /size is out of range/],
    [
      'an image that no int64 counts',
      convolution(geometry({ h: 2 ** 29, w: 2 ** 29, c: 2 ** 31 - 1 })),
      /out of range/,
    ],
    ['a copy onto itself', [op.move, 1, 0, 1, 1, 0, 0, 4, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], /overlaps/], // prettier-ignore
    [
      'a table that floats cannot number',
      [op.gather, 1, 0, 2, 0, 3, 0, 1, 1, 1, 2 ** 24 + 1],
      /more rows than a float/,
    ],
    ['a second operation that is none', [...sums(4, 4), 1234], /operation 1: there is no such operation/],
  ])('refuses %s', (_, code, reason, sizes) => {
    expect(() => create(code, sizes)).toThrow(reason);
  });

  it('takes nothing else for a program, nor one that is freed', async () => {
    const freed = create(sums(4, 4));
    addon.free(freed);
    expect(() => addon.free(freed)).not.toThrow();
    const strangers = [undefined, null, 7, 'program', {}, [], new Date(), Object.create(freed), freed];
    for (const stranger of strangers as Program[]) {
      expect(() => addon.runNow(stranger)).toThrow('no program');
      expect(() => addon.run(stranger)).toThrow('no program');
      expect(() => addon.seconds(stranger)).toThrow('no program');
    }
    const program = create(sums(4, 4));
    const run = addon.run(program);
    expect(() => addon.runNow(program)).toThrow('it is running');
    expect(() => addon.free(program)).toThrow('it is running');
    await run;
    addon.free(program);
  });

  it('refuses to run on memory that was transferred', () => {
    const buffers = [4, 16, 16].map((size) => new Float32Array(size));
    const program = addon.create(buffers, Int32Array.from(sums(4, 4)), 1, addon.levels()[0]!);
    addon.runNow(program);
    structuredClone(buffers[1], { transfer: [buffers[1]!.buffer] });
    expect(() => addon.runNow(program)).toThrow('transferred');
    expect(() => addon.run(program)).toThrow('transferred');
  });

  it('checks where an update and a copy of rows reach', () => {
    const program = create(sums(4, 4));
    const memory = new Uint8Array(256);
    const update = (w: number, v: number, g: number, n: number) =>
      addon.update(program, memory, w, v, g, 0, 0, n, 0.1, 0.9, 0, 0, 0);
    expect(() => update(64, 128, 192, 16)).not.toThrow();
    for (const [w, v, g, n] of [
      [64, 128, 192, 17],
      [64, 128, 192, -1],
      [64, 128, 192, 1.5],
      [64, 128, 192, NaN],
      [64, 128, 192, Infinity],
      [66, 128, 192, 1],
      [0, 128, 192, 1],
      [-4, 128, 192, 1],
    ] as const)
      expect(() => update(w, v, g, n)).toThrow('update(program');
    const copy = (from: number, count: number) =>
      addon.copyRows(program, new Float32Array(8), 2, Uint32Array.of(0, 3, 4), from, count, new Float32Array(4));
    expect(() => copy(0, 2)).not.toThrow();
    for (const [from, count] of [[1, 2], [2, 1], [0, 3], [-1, 1], [2 ** 53, 1]] as const) expect(() => copy(from, count)).toThrow('copyRows(program'); // prettier-ignore
  });

  it('keeps a program alive until its run ends, though nobody else does', () => {
    const script = `
      const addon = require(${JSON.stringify(path)});
      const [n, m] = [2048, 512];
      const code = [];
      for (let i = 0; i < 200; i++) code.push(${op.cumulativeSum}, 1, 0, 2, 0, n, m, 1, 0, 0);
      (async () => {
        const x = new Float32Array(n * m).map((_, i) => i % 7);
        let y = new Float32Array(n * m);
        let buffers = [new Float32Array(16), x, y];
        let program = addon.create(buffers, Int32Array.from(code), 2, addon.levels()[0]);
        const done = addon.run(program);
        // The caller's own list may change: the program holds what it was built on.
        buffers.length = 0;
        program = buffers = y = null;
        for (let i = 0; i < 10; i++) { global.gc(); await new Promise((go) => setTimeout(go, 5)); }
        await done;
        global.gc();
        console.log('finished');
      })();`;
    const out = execFileSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8' });
    expect(out.trim()).toBe('finished');
  });
});
