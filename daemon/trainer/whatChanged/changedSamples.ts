/** Selects the shown samples among those whose answer changed: some of each verdict, in the order of a score. */
import type { ChangedSample } from '../../protocol/whatChanged.js';

export type Verdict = ChangedSample['verdict'];

export interface Scored {
  readonly index: number;
  readonly verdict: Verdict;
  /** Larger ones come first. */
  readonly score: number;
}

/** Shares of the places. Lost answers matter most. */
const SHARES: readonly (readonly [Verdict, number])[] = [
  ['worse', 0.5],
  ['better', 0.35],
  ['other', 0.15],
];

export interface Chosen {
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Those that became worse first, each kind by its score. */
  readonly shown: readonly Scored[];
}

const byScore = (a: Scored, b: Scored): number => b.score - a.score || a.index - b.index;

/** @param most how many are shown; a kind with fewer samples than its share leaves its places to the others. */
export function chooseSamples(samples: readonly Scored[], most: number): Chosen {
  const of = (verdict: Verdict) => samples.filter((one) => one.verdict === verdict).sort(byScore);
  const kinds = SHARES.map(([verdict, share]) => ({ verdict, all: of(verdict), places: Math.floor(share * most) }));
  let left = most - kinds.reduce((sum, { all, places }) => sum + Math.min(all.length, places), 0);
  const shown = kinds.flatMap(({ all, places }) => {
    const own = Math.min(all.length, places);
    const more = Math.min(all.length - own, left);
    left -= more;
    return all.slice(0, own + more);
  });
  const [worse, better, other] = kinds.map(({ all }) => all.length) as [number, number, number];
  return { counts: { worse, better, other }, shown };
}
