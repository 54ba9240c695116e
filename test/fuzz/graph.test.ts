/**
 * Graphs that once failed, and random graphs over all operations: their gradients against differences in float64, and both
 * on the executors against float64. `npm run test:graphs` has 2,000 of new seeds.
 */
import { describe, expect, it } from 'vitest';
import { corpus } from './graph/corpus.js';
import { checkExecutors, hasNative } from './graph/executors.js';
import { operationsOfGrammar, randomGraph } from './graph/grammar.js';
import { checkSlopes } from './graph/slopes.js';

const count = Number(process.env['LC_PRUNE_GRAPHS'] ?? 150);
const first = Number(process.env['LC_PRUNE_GRAPH_SEED'] ?? 0);
const seeds = Array.from({ length: count }, (_, i) => first + i);

/** Operations that the file format has no operator for. */
const unwritten = /Atan2 has no ONNX operator|MirrorPad in symmetric mode has no ONNX operator/;

describe('graphs that once failed', () => {
  it.each(corpus)('%s', async (_what, sample) => {
    const { differ, refused } = await checkExecutors(sample);
    expect([differ, refused.onnx]).toEqual([[], undefined]);
    expect(checkSlopes(sample, 1)).toMatchObject({ kind: 'agree', what: '' });
  });
});

describe(`${count} random graphs from seed ${first}`, () => {
  it('have the gradients that differences show', { timeout: 600_000 }, () => {
    const verdicts = seeds.map((seed) => checkSlopes(randomGraph(seed), seed));
    expect(verdicts.filter(({ kind }) => kind === 'differ').map(({ what }) => what)).toEqual([]);
    // If many points were on a corner, nothing would be compared.
    expect(verdicts.filter(({ kind }) => kind === 'agree').length).toBeGreaterThan(0.95 * count);
    const seen = new Set(verdicts.flatMap(({ ops }) => [...ops]));
    expect(operationsOfGrammar.filter((op) => !seen.has(op))).toEqual([]);
  });

  it('are computed by onnxruntime and the native kernels as in float64', { timeout: 600_000 }, async () => {
    const differ: string[] = [];
    const refusals: string[] = [];
    let [excused, native] = [0, 0];
    for (const seed of seeds) {
      try {
        const verdict = await checkExecutors(randomGraph(seed));
        differ.push(...verdict.differ.map((what) => `seed ${seed}: ${what}`));
        if (verdict.refused.onnx !== undefined) refusals.push(verdict.refused.onnx);
        if (verdict.refused.native === undefined) native++;
        if (verdict.notes.size > 0) excused++;
      } catch (error) {
        differ.push(`seed ${seed}: ${(error as Error).message}`);
      }
    }
    expect(differ).toEqual([]);
    expect(refusals.filter((reason) => !unwritten.test(reason))).toEqual([]);
    if (hasNative) expect(native).toBeGreaterThan(0.05 * count);
    expect(excused).toBeLessThan(0.05 * count);
  });
});
