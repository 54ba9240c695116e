/** Judges files in children, some at a time. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, serveTasks } from '../children.js';
import { judgeFile, makeFolder } from './judge.js';
import { mutantOf } from './mutants/mutant.js';
import type { Verdict } from './verdict.js';

/** A mutant by its number, or a file. */
export type Wanted =
  { readonly seed: number; readonly index: number } | { readonly name: string; readonly bytes: Uint8Array };

/** Several files at once: on a busy machine every answer between processes waits for its turn. */
interface Task {
  readonly folder: string;
  readonly files: readonly Wanted[];
}
const TOGETHER = 20;

/** Megabytes of JavaScript's heap in a child, and of its whole memory. */
const [HEAP, MEMORY] = [768, 1536];
/** Milliseconds for a file, and for several. */
const PATIENCE = 45_000;

const nameOf = (one: Wanted): string => ('index' in one ? String(one.index) : one.name);

async function verdictOf(one: Wanted, folder: string, stage: (name: string) => void): Promise<Verdict> {
  const { from, bytes } = 'bytes' in one ? { from: one.name, bytes: one.bytes } : mutantOf(one.seed, one.index);
  const begun = performance.now();
  const found = await judgeFile(bytes, folder, stage);
  const milliseconds = Math.round(performance.now() - begun);
  return { ...('index' in one && { index: one.index }), from, ...found, milliseconds };
}

/** The child's side. */
export const serve = (): void =>
  serveTasks<Task, Verdict[]>(async ({ folder, files }, stage) => {
    const verdicts: Verdict[] = [];
    for (const one of files) verdicts.push(await verdictOf(one, folder, stage));
    return verdicts;
  });

function* grouped<T>(all: Iterable<T>): Generator<T[]> {
  let group: T[] = [];
  for (const one of all) {
    group.push(one);
    if (group.length < TOGETHER) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** @param script the bundle of main.ts. @param report is called for each verdict, in order; false ends it. */
export async function judgeAll(
  script: string,
  wanted: Iterable<Wanted>,
  report: (verdict: Verdict) => boolean | void,
): Promise<void> {
  const place = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-fuzz-')));
  const folder = await makeFolder(join(place, 'fuzz'));
  const child = new Child<Task, Verdict[]>({
    script,
    nameOf: ({ files }) => nameOf(files[0]!),
    tasksEach: 25,
    timeout: PATIENCE,
    execArgv: [`--max-old-space-size=${HEAP}`, '--max-semi-space-size=16'],
    memory: MEMORY * 2 ** 20,
  });
  const judged = async (files: readonly Wanted[]): Promise<Verdict[]> => {
    const answer = await child.compute({ folder, files });
    if ('result' in answer) return answer.result;
    // One of them ended the child: which one shows when each is alone.
    const alone: Verdict[] = [];
    if (files.length > 1) {
      for (const one of files) alone.push(...(await judged([one])));
      return alone;
    }
    const [one] = files as [Wanted];
    const { how, what, stage, milliseconds } = answer.death;
    const known = { ...('index' in one && { index: one.index }), from: 'name' in one ? one.name : '', milliseconds };
    // What a file does to onnxruntime is not this product's fault.
    if (stage === 'onnxruntime') return [{ ...known, kind: 'lenient', what: `onnxruntime: ${what}` }];
    if (stage === 'comparing' && how === 'hang') return [{ ...known, kind: 'uncompared', what }];
    return [{ ...known, kind: how, what }];
  };
  try {
    for (const files of grouped(wanted))
      for (const verdict of await judged(files)) if (report(verdict) === false) return;
  } finally {
    child.close();
    await rm(place, { recursive: true, force: true, maxRetries: 10 });
  }
}
