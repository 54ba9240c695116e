/**
 * `npm run fuzz:engine -- [--seeds FROM..TO] [--masks] [--minutes M] [--jobs N] [--out FILE.jsonl]`: random networks on
 * native-cpu, on onnx-cpu and in float64; with `--masks` those whose sequences have padding. Seeds that are in the file already
 * are skipped. `--seed N`, or `--network FILE` (as it prints them),
 * computes one; with `--shrink` it looks for the smallest network of the same verdict. Exits with 1 where engines differ or
 * crash.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { computeAll, Networks } from './children.js';
import { randomNetwork } from './networks/grammar.js';
import { maskedNetwork } from './networks/masked.js';
import type { Network } from './networks/network.js';
import { shrink } from './shrink.js';
import { isFailure, summaryOf } from './summary.js';
import type { Verdict } from './verdict.js';
import { serve, type Task } from './worker.js';

const script = fileURLToPath(import.meta.url);

function* seeds(from: number, to: number, known: ReadonlySet<number>, until: number): Generator<number> {
  for (let seed = from; seed < to && Date.now() < until; seed++) if (!known.has(seed)) yield seed;
}

function* withMasks(drawn: Iterable<number>): Generator<Task> {
  for (const seed of drawn) yield maskedNetwork(seed);
}

const read = (file: string): Verdict[] =>
  readFileSync(file, 'utf8').split('\n').filter(Boolean).map((text) => JSON.parse(text) as Verdict); // prettier-ignore

async function one(network: Network, shrinking: boolean): Promise<boolean> {
  const child = new Networks(script);
  try {
    const verdict = await child.compute(network);
    console.log(JSON.stringify(verdict, null, 1));
    const smallest = shrinking ? await shrink(network, verdict, (smaller) => child.compute(smaller)) : network;
    console.log(JSON.stringify(smallest));
    return isFailure(verdict);
  } finally {
    child.close();
  }
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '0..1000' },
      minutes: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      out: { type: 'string' },
      seed: { type: 'string' },
      network: { type: 'string' },
      masks: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
    },
  });
  if (values.network !== undefined)
    return one(JSON.parse(readFileSync(values.network, 'utf8')) as Network, values.shrink);
  const networkOf = values.masks ? maskedNetwork : randomNetwork;
  if (values.seed !== undefined) return one(networkOf(Number(values.seed)), values.shrink);
  const [from, to] = values.seeds.split('..').map(Number);
  if (!Number.isInteger(from) || !Number.isInteger(to)) throw new Error(`--seeds ${values.seeds}: expected FROM..TO`);
  const { out } = values;
  const verdicts = out && existsSync(out) ? read(out) : [];
  const known = new Set(verdicts.map(({ seed }) => seed));
  const until = values.minutes === undefined ? Infinity : Date.now() + 60_000 * Number(values.minutes);
  const drawn = seeds(from!, to!, known, until);
  await computeAll(script, Number(values.jobs), values.masks ? withMasks(drawn) : drawn, (verdict) => {
    verdicts.push(verdict);
    if (out) appendFileSync(out, `${JSON.stringify(verdict)}\n`);
    if (isFailure(verdict)) console.log(`seed ${verdict.seed}: ${verdict.kind}: ${verdict.what}`);
  });
  console.log(summaryOf(verdicts));
  return verdicts.some(isFailure);
}

if (process.argv.includes('--child')) serve();
else process.exitCode = (await main()) ? 1 : 0;
