/**
 * `npm run test:onnx -- [--mutants N] [--seed S] [--minutes M] [--out FILE.jsonl]`: valid ONNX files made wrong, each opened in a child as
 * the product opens it. Each is refused in words, or loads and computes what onnxruntime computes. With a file it goes on where it ended.
 * `--mutant INDEX` judges one; `--save FILE` writes its bytes, `--keep WHAT` adds it to the corpus; `--file FILE` judges a file. Exits with 1 if
 * a promise is broken.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { mutantOf } from './mutants/mutant.js';
import { Recorded } from './record.js';
import { judgeAll, serve } from './run.js';
import { isFailure, type Verdict } from './verdict.js';

const script = fileURLToPath(import.meta.url);
const CORPUS = 'test/fuzz/onnx/corpus.json';

function* mutants(seed: number, from: number, to: number): Generator<{ seed: number; index: number }> {
  for (let index = from; index < to; index++) yield { seed, index };
}

const print = (verdict: Verdict): void => console.log(JSON.stringify(verdict));

/** Adds a file to those that every test run opens. */
function keep(what: string, bytes: Uint8Array): void {
  const known = JSON.parse(readFileSync(CORPUS, 'utf8')) as object[];
  const file = gzipSync(bytes, { level: 9 }).toString('base64');
  writeFileSync(CORPUS, `${JSON.stringify([...known, { what, file }], null, 2)}\n`);
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '13' },
      minutes: { type: 'string' },
      out: { type: 'string' },
      mutant: { type: 'string' },
      save: { type: 'string' },
      keep: { type: 'string' },
      file: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  let failed = false;
  const show = (verdict: Verdict): void => {
    print(verdict);
    failed ||= isFailure(verdict);
  };
  if (values.file !== undefined) {
    await judgeAll(script, [{ name: values.file, bytes: readFileSync(values.file) }], show);
    return failed;
  }
  if (values.mutant !== undefined) {
    const index = Number(values.mutant);
    const { bytes } = mutantOf(seed, index);
    if (values.save !== undefined) writeFileSync(values.save, bytes);
    if (values.keep !== undefined) keep(values.keep, bytes);
    await judgeAll(script, [{ seed, index }], show);
    return failed;
  }
  const recorded = new Recorded(values.out);
  const until = values.minutes === undefined ? Infinity : Date.now() + 60_000 * Number(values.minutes);
  await judgeAll(script, mutants(seed, recorded.next, Number(values.mutants)), (verdict) => {
    recorded.add(verdict);
    if (isFailure(verdict)) print(verdict);
    return Date.now() < until;
  });
  recorded.close();
  console.log(recorded.summary());
  return recorded.failures.length > 0;
}

if (process.argv.includes('--child')) serve();
else process.exitCode = (await main()) ? 1 : 0;
