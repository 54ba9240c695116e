/** What is known of a run, in a file of JSON lines: counters of each part, and every failure. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { isFailure, reasonOf, type Verdict } from './verdict.js';

type Counts = Readonly<Record<string, number>>;

/** The mutants [from, to), by kind, and by kind and reason. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly kinds: Counts;
  readonly reasons: Counts;
  readonly milliseconds: number;
  readonly slowest: number;
}

const sumOf = (all: readonly Counts[]): Map<string, number> => {
  const sum = new Map<string, number>();
  for (const counts of all) for (const [key, n] of Object.entries(counts)) sum.set(key, (sum.get(key) ?? 0) + n);
  return new Map([...sum].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)));
};

/** Mutants of a part. */
const EACH = 250;

export class Recorded {
  readonly #parts: Part[] = [];
  readonly failures: Verdict[] = [];
  #open: Verdict[] = [];

  /** @param file is read if it exists, and appended to; undefined: nothing is written. */
  constructor(private readonly file: string | undefined) {
    if (file === undefined || !existsSync(file)) return;
    const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((row) => JSON.parse(row) as Part | Verdict); // prettier-ignore
    for (const row of rows) if ('from' in row && 'to' in row) this.#parts.push(row);
    // Failures behind the last part are judged again.
    for (const row of rows) if ('kind' in row && (row.index ?? 0) < this.next) this.failures.push(row);
  }

  /** The first mutant that is not judged. */
  get next(): number {
    return Math.max(0, ...this.#parts.map(({ to }) => to));
  }

  add(verdict: Verdict): void {
    this.#open.push(verdict);
    if (isFailure(verdict)) {
      this.failures.push(verdict);
      this.#write(verdict);
    }
    if (this.#open.length === EACH) this.close();
  }

  /** Ends the part that is open. */
  close(): void {
    const all = this.#open;
    if (all.length === 0) return;
    this.#open = [];
    const counted = (keys: readonly string[]): Counts => Object.fromEntries(sumOf(keys.map((key) => ({ [key]: 1 }))));
    const part: Part = {
      from: all[0]!.index!,
      to: all.at(-1)!.index! + 1,
      kinds: counted(all.map(({ kind }) => kind)),
      reasons: counted(all.flatMap(({ kind, what }) => (what === undefined || kind === 'refused' ? [] : [`${kind}: ${reasonOf(what)}`]))), // prettier-ignore
      milliseconds: all.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
      slowest: Math.max(...all.map(({ milliseconds }) => milliseconds)),
    };
    this.#parts.push(part);
    this.#write(part);
  }

  #write(row: Part | Verdict): void {
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(row)}\n`);
  }

  summary(): string {
    const judged = this.#parts.reduce((sum, { from, to }) => sum + to - from, 0);
    const time = this.#parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const share = (n: number) =>
      `${String(n).padStart(8)} ${((100 * n) / Math.max(1, judged)).toFixed(2).padStart(6)}%`;
    return [
      `${judged} mutants, ${(time / Math.max(1, judged)).toFixed(1)} ms each, the slowest ${Math.max(0, ...this.#parts.map(({ slowest }) => slowest))} ms`,
      ...[...sumOf(this.#parts.map(({ kinds }) => kinds))].map(([kind, n]) => `${share(n)}  ${kind}`),
      'reasons:',
      ...[...sumOf(this.#parts.map(({ reasons }) => reasons))].slice(0, 60).map(([reason, n]) => `${share(n)}  ${reason}`), // prettier-ignore
    ].join('\n');
  }
}
