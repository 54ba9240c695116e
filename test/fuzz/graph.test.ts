/**
 * Random graphs over all operations: their gradients against differences in float64, and both on the executors against
 * float64. `npm run test:graphs` has 2,000 of new seeds.
 */
import { describe, expect, it } from 'vitest';
import { checkExecutors } from './graph/executors.js';
import { operationsOfGrammar, randomGraph } from './graph/grammar.js';
import { checkSlopes } from './graph/slopes.js';

const count = Number(process.env['LC_PRUNE_GRAPHS'] ?? 200);
const first = Number(process.env['LC_PRUNE_GRAPH_SEED'] ?? 0);
const seeds = Array.from({ length: count }, (_, i) => first + i);

describe(`${count} random graphs from seed ${first}`, () => {
  it('have the gradients that differences show', { timeout: 600_000 }, () => {
    const verdicts = seeds.map((seed) => checkSlopes(randomGraph(seed), seed));
    expect(verdicts.filter(({ kind }) => kind === 'differ').map(({ what }) => what)).toEqual([]);
    // Few stand on a corner, or nothing was compared.
    expect(verdicts.filter(({ kind }) => kind === 'agree').length).toBeGreaterThan(0.95 * count);
    const seen = new Set(verdicts.flatMap(({ ops }) => [...ops]));
    expect(operationsOfGrammar.filter((op) => !seen.has(op))).toEqual([]);
  });

  it('are computed by onnxruntime and the native kernels as in float64', { timeout: 600_000 }, async () => {
    const differ: string[] = [];
    let [refused, excused] = [0, 0];
    for (const seed of seeds) {
      const verdict = await checkExecutors(randomGraph(seed)).catch((error: unknown) => ({ differ: [String(error)], notes: new Set(), refused: undefined })); // prettier-ignore
      differ.push(...verdict.differ.map((what) => `seed ${seed}: ${what}`));
      if (verdict.refused !== undefined) { refused++; console.log(verdict.refused); }
      if (verdict.notes.size > 0) excused++;
    }
    console.log(refused, excused);
    expect(differ).toEqual([]);
    expect(excused).toBeLessThan(0.05 * count);
  });
});
