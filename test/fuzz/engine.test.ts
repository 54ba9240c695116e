/**
 * Random networks on native-cpu and onnx-cpu against float64 (docs/engines.md): those that once failed, and a fixed part of the
 * seeds of `npm run fuzz:engine`.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { computeAll } from './engine/children.js';
import { maskedNetwork } from './engine/networks/masked.js';
import type { Network } from './engine/networks/network.js';
import { isFailure, summaryOf } from './engine/summary.js';
import type { Verdict } from './engine/verdict.js';
import type { Task } from './engine/worker.js';
import { type Bundle, bundleTrainer } from '../integration/trainer/bundle.js';

const corpus = JSON.parse(readFileSync(new URL('engine/corpus.json', import.meta.url), 'utf8')) as {
  what: string;
  network: Network;
}[];

const seeds = 100;
const masked = 40;

/** Reasons for which a network may be refused, each a fact about the network or a kernel that is known to be missing. */
const known = [
  // No layer of it has weights that train.
  /^trace: .*none of its n weights is trainable/,
  // Keras would lay the mask over other axes than the steps.
  /^trace: a layer \(\w+\) gets a mask of steps, which Keras would lay over other axes/,
  // Keras's backends differ.
  /^trace: a layer \(\w+\) gives zeros at masked steps with unroll=True/,
];

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleTrainer('test/fuzz/engine/main.ts');
});
afterAll(() => bundle.remove());

async function verdictsOf(tasks: readonly Task[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await computeAll(bundle.path, 2, tasks.values(), (verdict) => verdicts.push(verdict));
  return verdicts;
}

describe('engines against float64', () => {
  it.each(corpus)('$what', async ({ network }) => {
    const [verdict] = await verdictsOf([network]);
    expect(verdict!.what ?? '').toBe('');
    expect(verdict!.refusals.filter((reason) => reason.startsWith('trace'))).toEqual([]);
  });

  it(`${masked} random networks with padding`, { timeout: 120_000 }, async () => {
    const verdicts = await verdictsOf(Array.from({ length: masked }, (_, seed) => maskedNetwork(seed)));
    expect(verdicts.filter(isFailure), summaryOf(verdicts)).toEqual([]);
    const refusals = verdicts.flatMap((verdict) => verdict.refusals);
    expect(refusals.filter((reason) => !known.some((pattern) => pattern.test(reason)))).toEqual([]);
    expect(verdicts.filter(({ kind }) => kind === 'agree').length).toBeGreaterThan(0.85 * masked);
  });

  it(
    `${seeds} random networks: no crash, no difference beyond rounding, few refusals`,
    { timeout: 300_000 },
    async () => {
      const verdicts = await verdictsOf(Array.from({ length: seeds }, (_, seed) => seed));
      expect(verdicts.filter(isFailure), summaryOf(verdicts)).toEqual([]);
      const refusals = verdicts.flatMap((verdict) => verdict.refusals);
      expect(refusals.filter((reason) => !known.some((pattern) => pattern.test(reason)))).toEqual([]);
      expect(verdicts.filter(({ kind }) => kind === 'refused').length).toBeLessThan(0.03 * seeds);
      // Not everything overflows, or nothing was compared.
      expect(verdicts.filter(({ kind }) => kind === 'agree').length).toBeGreaterThan(0.9 * seeds);
    },
  );
});
