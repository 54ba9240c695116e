import { describe, expect, it } from 'vitest';
import { referenceUpdate, type UpdateSettings } from '../../../daemon/engine/update/reference.js';
import { updateSegments, type Segment } from '../../../daemon/engine/update/segments.js';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import { type Addon, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { createUpdate } from '../../../daemon/engine/update/update.js';
import { createRandom } from '../../../daemon/lc/random.js';

const settings: UpdateSettings = { eta: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0, mu: 0 };

/** Vectors at odd float offsets of one memory, with guard floats between them that no kernel may touch. */
function layout(size: number, shift: number) {
  const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil((5 * (size + 16) * 4) / 65536) });
  const guard = -12345.5;
  new Float32Array(memory.buffer).fill(guard);
  const stride = 4 * (size + 8) + 4 * shift;
  const [w, v, g, target, keep] = [1, 2, 3, 4, 5].map((i) => 16 + (i - 1) * stride + 4 * shift) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const floats = (at: number) => new Float32Array(memory.buffer, at, size);
  const guards = () =>
    [w, v, g, target].map((at) => [at / 4 - 1, at / 4 + size].map((i) => new Float32Array(memory.buffer)[i]));
  return {
    memory,
    offsets: { w, v, g, target, keep },
    vectors: {
      w: floats(w),
      v: floats(v),
      g: floats(g),
      target: floats(target),
      keep: new Uint8Array(memory.buffer, keep, size),
    },
    guardsIntact: () =>
      guards()
        .flat()
        .every((value) => value === guard),
  };
}

/** The largest error, relative to 1 + the value's magnitude. */
const distance = (actual: Float32Array, expected: Float64Array) =>
  expected.reduce((worst, x, i) => Math.max(worst, Math.abs(actual[i]! - x) / (1 + Math.abs(x))), 0);

/** The update of each level of the native kernels: any program's threads do. */
const found = loadAddon();
const native = 'addon' in found ? found.addon.levels().map((level) => [level, nativeUpdate(found.addon, level)] as const) : []; // prettier-ignore

function nativeUpdate(addon: Addon, level: string) {
  const builder = new GraphBuilder();
  const x = builder.input([1], { role: 'parameter', name: 'x' });
  const y = builder.add({ op: 'Neg', inputs: [x], shape: [1] });
  const graph = builder.finish([{ role: 'gradient', name: 'x', node: y }]);
  const program = NativeGraph.create(addon, graph, [new Float32Array(1)], [new Float32Array(1)], { threads: 2, level });
  return (memory: WebAssembly.Memory) => program.update(memory);
}

describe.each([['WebAssembly', createUpdate] as const, ...native])('fused update in %s', (_, createUpdate) => {
  const random = createRandom(7);
  for (const nesterov of [false, true]) {
    for (const mode of ['plain', 'penalty', 'mask', 'penalty and mask'] as const) {
      it(`equals the float64 oracle: ${mode}, ${nesterov ? 'Nesterov' : 'classical'} momentum`, () => {
        for (let trial = 0; trial < 60; trial++) {
          const size = trial < 20 ? trial + 1 : 1 + random.below(trial === 59 ? 60_000 : 3000);
          const { memory, offsets, vectors, guardsIntact } = layout(size, random.below(4));
          for (const vector of [vectors.w, vectors.v, vectors.g, vectors.target]) {
            for (let i = 0; i < size; i++) vector[i] = random.normal();
          }
          for (let i = 0; i < size; i++) vectors.keep[i] = random.below(3) === 0 ? 0 : 1 + random.below(255);
          const range = () => {
            const [a, b] = [random.below(size + 1), random.below(size + 1)];
            return { start: Math.min(a, b), end: Math.max(a, b) };
          };
          const segments = updateSegments(size, random.below(size + 1), {
            penalty: mode.includes('penalty') ? [range(), range()] : [],
            mask: mode.includes('mask') ? [range(), range()] : [],
          });
          const s = {
            eta: random.next(),
            momentum: random.next(),
            nesterov,
            weightDecay: random.below(2) * random.next(),
            mu: 3 * random.next(),
          };
          const [w, v, g, target] = [vectors.w, vectors.v, vectors.g, vectors.target].map((x) =>
            Float64Array.from(x),
          ) as [Float64Array, Float64Array, Float64Array, Float64Array];
          const update = createUpdate(memory);
          for (let step = 0; step < 3; step++) {
            update.step(offsets, segments, s);
            referenceUpdate(w, v, g, segments, s, target, vectors.keep);
          }
          expect(distance(vectors.w, w)).toBeLessThan(2e-5);
          expect(distance(vectors.v, v)).toBeLessThan(2e-5);
          expect(distance(vectors.g, g)).toBe(0);
          expect(guardsIntact()).toBe(true);
        }
      });
    }
  }

  it('is torch.optim.SGD (values from PyTorch 1.13, lr 0.1, momentum 0.9, Nesterov, weight decay 0.01)', () => {
    const { memory, offsets, vectors } = layout(3, 0);
    vectors.w.set([1, -2, 0.5]);
    vectors.v.fill(0);
    const update = createUpdate(memory);
    for (const g of [
      [0.5, -0.25, 1],
      [-1, 0.75, 0.125],
    ]) {
      vectors.g.set(g);
      update.step(offsets, updateSegments(3, 3), { ...settings, weightDecay: 0.01 });
    }
    const expected = [1.0500741004943848, -2.065627336502075, 0.20330780744552612];
    const velocity = [-0.5319690108299255, 0.4875129759311676, 1.032590389251709];
    expected.forEach((x, i) => expect(vectors.w[i]).toBeCloseTo(x, 6));
    velocity.forEach((x, i) => expect(vectors.v[i]).toBeCloseTo(x, 6));
  });

  it('keeps masked weights and velocities at exactly 0, from any start', () => {
    const { memory, offsets, vectors } = layout(11, 1);
    vectors.w.fill(3);
    vectors.v.fill(-2);
    vectors.g.fill(Infinity);
    vectors.keep.fill(0);
    createUpdate(memory).step(offsets, updateSegments(11, 11, { mask: [{ start: 0, end: 11 }] }), settings);
    expect([...vectors.w, ...vectors.v].every((x) => x === 0)).toBe(true);
  });

  it('flushes velocities before they turn denormal and lets NaN through', () => {
    const { memory, offsets, vectors } = layout(9, 0);
    vectors.w.fill(1);
    vectors.v.fill(1e-31);
    vectors.g.fill(0);
    vectors.v.set([NaN, 1e-29], 3);
    vectors.v[8] = NaN;
    createUpdate(memory).step(offsets, updateSegments(9, 9), settings);
    expect([...vectors.v]).toEqual([0, 0, 0, NaN, Math.fround(Math.fround(0.9) * Math.fround(1e-29)), 0, 0, 0, NaN]);
    expect(vectors.w[3]).toBeNaN();
    expect(vectors.w[0]).toBe(1);
  });

  it('refuses a penalty without a target and a mask without keep', () => {
    const { memory, offsets } = layout(4, 0);
    const update = createUpdate(memory);
    const { w, v, g } = offsets;
    const range = [{ start: 0, end: 4 }];
    expect(() => update.step({ w, v, g }, updateSegments(4, 4, { penalty: range }), settings)).toThrow(/target/);
    expect(() => update.step({ w, v, g }, updateSegments(4, 4, { mask: range }), settings)).toThrow(/keep/);
  });
});

describe('update segments', () => {
  it('cover the vector once, in order, with the flags of a weight-by-weight lookup', () => {
    const random = createRandom(3);
    for (let trial = 0; trial < 200; trial++) {
      const size = 1 + random.below(40);
      const prunable = random.below(size + 1);
      const ranges = () =>
        Array.from({ length: random.below(3) }, () => {
          const start = random.below(size + 1);
          return { start, end: start + random.below(size + 1 - start) };
        });
      const penalty = ranges();
      const mask = ranges();
      const segments = updateSegments(size, prunable, { penalty, mask });
      const within = (list: { start: number; end: number }[], i: number) => list.some((r) => i >= r.start && i < r.end);
      let at = 0;
      for (const [index, s] of segments.entries()) {
        expect(s.start).toBe(at);
        expect(s.end).toBeGreaterThan(s.start);
        for (let i = s.start; i < s.end; i++) {
          expect([s.decay, s.penalty, s.mask]).toEqual([i < prunable, within(penalty, i), within(mask, i)]);
        }
        const flags = (segment: Segment) => `${segment.decay}${segment.penalty}${segment.mask}`;
        if (index > 0) expect(flags(s)).not.toBe(flags(segments[index - 1]!));
        at = s.end;
      }
      expect(at).toBe(size);
    }
  });

  it('refuse ranges outside the vector', () => {
    expect(() => updateSegments(4, 4, { penalty: [{ start: 2, end: 5 }] })).toThrow(RangeError);
    expect(() => updateSegments(4, 4, { mask: [{ start: 3, end: 2 }] })).toThrow(RangeError);
  });
});
