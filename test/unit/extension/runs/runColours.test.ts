/** Colours of the runs on show: no two the same, each kept for as long as it can be. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunColours } from '../../../../extension/monitor/runColours.js';

function memory() {
  const kept = new Map<string, unknown>();
  return {
    get: <T>(key: string) => kept.get(key) as T | undefined,
    update: async (key: string, value: unknown) => void kept.set(key, structuredClone(value)),
  };
}
const of = (colours: RunColours, ...runs: string[]) => runs.map((run) => colours.of(run));

test('a run keeps its colour while others come and go, and after a reload', () => {
  const store = memory();
  const colours = new RunColours(store);
  colours.show(['a', 'b']);
  colours.show(['b', 'c', 'a']);
  expect(of(colours, 'a', 'b', 'c')).toEqual([0, 1, 2]);
  const reloaded = new RunColours(store);
  reloaded.show(['c', 'd']);
  expect(of(reloaded, 'c', 'd')).toEqual([2, 0]);
  expect(reloaded.all).toEqual({ c: 2, d: 0 });
});

test('no two shown runs ever have one colour, and a run keeps its colour while it is shown', () => {
  const shows = fc.array(fc.uniqueArray(fc.constantFrom(...'abcdefghijklmnopq'), { maxLength: 15 }), { maxLength: 20 });
  fc.assert(
    fc.property(shows, (all) => {
      const colours = new RunColours(memory());
      let before: Readonly<Record<string, number>> = {};
      for (const runs of all) {
        colours.show(runs);
        const now = colours.all;
        expect(Object.keys(now).sort()).toEqual([...runs].sort());
        expect(new Set(Object.values(now)).size).toBe(runs.length);
        for (const run of runs) if (run in before) expect(now[run]).toBe(before[run]);
        before = now;
      }
    }),
    { seed: 11 },
  );
});
