/**
 * Whatever an ONNX file holds, opening it ends soon, in words or in a network that computes what onnxruntime computes. A fixed part of
 * what `npm run test:onnx` opens (200,000 files), and files that once failed.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleTrainer } from '../integration/trainer/bundle.js';
import { BASES } from './onnx/bases/bases.js';
import { mutantOf } from './onnx/mutants/mutant.js';
import { judgeAll } from './onnx/run.js';
import { isFailure, type Verdict } from './onnx/verdict.js';

const COUNT = 300;
/** Milliseconds; on an idle machine a test takes some seconds. */
const PATIENCE = 300_000;
const SEED = 13;

/** What was wrong, and the file: gzip in base64. */
const corpus = JSON.parse(readFileSync(new URL('onnx/corpus.json', import.meta.url), 'utf8')) as {
  readonly what: string;
  readonly file: string;
}[];

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleTrainer('test/fuzz/onnx/main.ts');
});
afterAll(() => bundle.remove());

async function verdictsOf(wanted: Parameters<typeof judgeAll>[1]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await judgeAll(bundle.path, wanted, (verdict) => void verdicts.push(verdict));
  return verdicts;
}

describe('ONNX files made wrong', () => {
  it('the valid ones compute what onnxruntime computes', { timeout: PATIENCE }, async () => {
    const verdicts = await verdictsOf(BASES);
    const others = verdicts.filter(({ kind }) => kind !== 'agree').map(({ from, kind }) => `${from}: ${kind}`);
    // The states of an LSTM are no samples; float16 is no type that is fed here.
    expect(others).toEqual(['half.onnx: uncompared', 'lstm.onnx: refused']);
    expect(verdicts).toHaveLength(BASES.length);
  });

  it(`${corpus.length} files that once failed`, { timeout: PATIENCE }, async () => {
    const files = corpus.map(({ what, file }) => ({ name: what, bytes: gunzipSync(Buffer.from(file, 'base64')) }));
    expect((await verdictsOf(files)).filter(isFailure)).toEqual([]);
  });

  it(`${COUNT} mutants of seed ${SEED}`, { timeout: PATIENCE }, async () => {
    const verdicts = await verdictsOf(Array.from({ length: COUNT }, (_, index) => ({ seed: SEED, index })));
    expect(verdicts.filter(isFailure)).toEqual([]);
    // Neither everything nor nothing is refused, and much of the rest is compared.
    const count = (kind: Verdict['kind']) => verdicts.filter((verdict) => verdict.kind === kind).length;
    expect(count('refused')).toBeGreaterThan(COUNT / 4);
    expect(count('agree')).toBeGreaterThan(COUNT / 10);
  });

  it('are the same for the same seed, and others for another', () => {
    const bytes = (seed: number) =>
      Buffer.concat(Array.from({ length: 40 }, (_, index) => mutantOf(seed, index).bytes));
    expect(bytes(1).equals(bytes(1))).toBe(true);
    expect(bytes(1).equals(bytes(2))).toBe(false);
  });
});
