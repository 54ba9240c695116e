/** Gradient clipping beside PyTorch's clip_grad_norm_, and what a mask leaves out. */
import { describe, expect, it } from 'vitest';
import { clipNorm } from '../../../daemon/engine/update/clipNorm.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { python, pythonHas } from '../../fixtures/debianPython.js';

const random = createRandom(12);
const GRADIENT = Float32Array.from({ length: 500 }, () => random.normal());

describe('a clipped gradient', () => {
  it('keeps its direction and has the norm that is asked for, and a short one stays as it is', () => {
    const clipped = GRADIENT.slice();
    clipNorm(clipped, 3);
    expect(Math.hypot(...clipped)).toBeCloseTo(3, 5);
    const ratio = clipped[0]! / GRADIENT[0]!;
    clipped.forEach((g, i) => expect(g / GRADIENT[i]!).toBeCloseTo(ratio, 6));
    const short = GRADIENT.slice();
    clipNorm(short, Math.hypot(...GRADIENT) + 0.01);
    expect(short).toEqual(GRADIENT);
  });

  it('counts only what a mask lets move', () => {
    const keep = Uint8Array.from(GRADIENT, (_, i) => Number(i % 10 === 0));
    const clipped = GRADIENT.slice();
    clipNorm(clipped, 2, { keep, ranges: [{ start: 0, end: 400 }] });
    expect(clipped.subarray(0, 400).every((g, i) => keep[i] === 1 || g === 0)).toBe(true);
    expect(clipped[401]).not.toBe(0);
    expect(Math.hypot(...clipped)).toBeCloseTo(2, 5);
  });

  it.skipIf(!pythonHas('torch'))('is that of clip_grad_norm_', () => {
    const program = `
import json, sys, torch
case = json.loads(sys.argv[1])
w = [torch.nn.Parameter(torch.zeros(200)), torch.nn.Parameter(torch.zeros(300))]
g = torch.tensor(case['g'])
results = []
for most in case['most']:
    w[0].grad, w[1].grad = g[:200].clone(), g[200:].clone()
    torch.nn.utils.clip_grad_norm_(w, most)
    results.append(torch.cat([p.grad for p in w]).tolist())
print(json.dumps(results))`;
    const most = [0.5, 10, 1000];
    const expected = python(program, [JSON.stringify({ g: [...GRADIENT], most })]) as number[][];
    for (const [i, limit] of most.entries()) {
      const clipped = GRADIENT.slice();
      clipNorm(clipped, limit);
      clipped.forEach((g, k) => expect(g).toBeCloseTo(expected[i]![k]!, 6));
    }
  });
});
