/** Random graphs over all operations: their gradients against differences in float64. `npm run test:graphs` has 2,000. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { randomGraph } from './graph/grammar.js';
import { operationsOfGrammar } from './graph/grammar.js';
import { checkSlopes } from './graph/slopes.js';

const corpus = JSON.parse(readFileSync(new URL('graph/corpus.json', import.meta.url), 'utf8')) as { what: string; seed: number }[];

const count = Number(process.env['LC_PRUNE_GRAPHS'] ?? 300);
const first = Number(process.env['LC_PRUNE_GRAPH_SEED'] ?? 0);

describe('gradients of random graphs', () => {
  it(`${count} graphs from seed ${first}`, { timeout: 600_000 }, () => {
    const verdicts = Array.from({ length: count }, (_, i) => checkSlopes(randomGraph(first + i), first + i));
    expect(verdicts.filter(({ kind }) => kind === 'differ').map(({ what }) => what)).toEqual([]);
    const of = (wanted: string) => verdicts.filter(({ kind }) => kind === wanted).length;
    console.log(of('agree'), of('kink'));
    // Few stand on a corner, or nothing was compared.
    expect(of('agree')).toBeGreaterThan(0.95 * count);
    const seen = new Set(verdicts.flatMap(({ ops }) => [...ops]));
    expect(operationsOfGrammar.filter((op) => !seen.has(op))).toEqual([]);
  });
});
