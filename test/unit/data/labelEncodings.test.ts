import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelEncodings, valueEncodings } from '../../../daemon/data/labels/labelEncodings.js';
import type { LabelTargets } from '../../../daemon/data/rawDataset.js';
import { UserError } from '../../../daemon/protocol/errors.js';

const numbers = (labels: number[], positions = 1): LabelTargets => ({
  kind: 'labels',
  labels: Int32Array.from(labels),
  positions,
  where: 'here',
});
/** Names numbered in sorted order, as the readers return them. */
const named = (texts: string[]): LabelTargets => {
  const names = [...new Set(texts)].sort();
  return { ...numbers(texts.map((text) => names.indexOf(text))), names };
};
const outputs = (count: number, binary = false) => ({ count, binary });
const orders = (targets: LabelTargets, count: number, binary = false) =>
  labelEncodings(targets, outputs(count, binary), 'auto').map(({ order }) => order);

describe('ways to read labels', () => {
  it('are those that fit, the usual one first, and no two alike', () => {
    expect(orders(numbers([0, 1, 2]), 3)).toEqual(['stored']);
    expect(orders(numbers([2, 0, 1]), 3)).toEqual(['stored', 'appearance']);
    expect(orders(numbers([1, 2, 3]), 3)).toEqual(['from-one']);
    expect(orders(numbers([1, 2]), 3)).toEqual(['stored', 'from-one']);
    expect(orders(numbers([3, 5, 8]), 3)).toEqual(['value']);
    expect(orders(numbers([8, 9, 10]), 3)).toEqual(['value', 'text']);
    expect(orders(numbers([-1, 1]), 2, true)).toEqual(['value', 'reversed']);
    expect(orders(numbers([1, 1]), 2, true)).toEqual(['stored', 'from-one']);
    expect(orders(named(['no', 'yes']), 2, true)).toEqual(['text', 'reversed']);
    expect(orders(named(['class 10', 'class 9']), 2)).toEqual(['text', 'value']);
    expect(orders(named(Array.from({ length: 11 }, (_, i) => String(i))), 11)).toEqual(['stored', 'text']);
    expect(orders(numbers([0, 1, 1, 2], 2), 3)).toEqual(['stored']);
    expect(orders(numbers([1, 1, 1, 2], 2), 3)).toEqual(['stored', 'from-one']);
    expect(orders({ ...named(['b', 'a']), numbered: true }, 2)).toEqual(['stored']);
  });

  it('a list of the plan may name more classes than the data has, and numbers too', () => {
    const [listed] = labelEncodings(named(['cat', 'ant']), outputs(3), ['cat', 'bee', 'ant']);
    expect([...listed!.classOf]).toEqual([
      [1, 0],
      [0, 2],
    ]);
    expect(listed!.classes).toEqual(['cat', 'bee', 'ant']);
    const [wine] = labelEncodings(numbers([3, 7, 4]), outputs(6), ['3', '4', '5', '6', '7', '8']);
    expect([3, 4, 7].map((label) => wine!.classOf.get(label))).toEqual([0, 1, 4]);
  });

  it.each<[LabelTargets, number, Parameters<typeof labelEncodings>[2], RegExp]>([
    [named(['a', 'b']), 3, 'auto', /2 classes in the data \("a", "b"\) do not match the model's 3 outputs/],
    [numbers([0, 7]), 3, 'auto', /sample 1 has the label 7.*0 to 2; the data has 2 labels: "0", "7"/],
    [named(['a', 'b']), 2, ['a', 'c'], /labels that "classes" does not list: "b"; it lists "a", "c"/],
    [named(['a', 'b']), 2, ['a', 'b', 'c'], /"classes" lists 3 labels.*2 outputs/],
    [named(['a', 'b']), 2, 'from-one', /"classes": "from-one" does not fit the labels "a", "b".*possible here: "text"/],
    [numbers([0, 1, 2]), 3, 'reversed', /"reversed" does not fit.*possible here: "stored"/],
  ])('what does not fit is an error that lists both sides: %#', (targets, count, wanted, message) => {
    expect(() => labelEncodings(targets, outputs(count), wanted)).toThrow(message);
  });

  it('of any labels: injective into the classes, the same when the plan names it, or a UserError of one line', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.constantFrom('a1', 'a01', 'A1', 'a 10', '-1', '1', '01', '1.5', 'e\u0301', '\u{1f600}', '__proto__', 'NaN'),
    );
    const any = fc.oneof(
      fc.array(text, { minLength: 1, maxLength: 12 }).map(named),
      fc.array(fc.integer({ min: -3, max: 12 }), { minLength: 1, maxLength: 12 }).map((labels) => numbers(labels)),
      fc.array(fc.integer(), { minLength: 1, maxLength: 12 }).map((labels) => numbers(labels)),
    );
    fc.assert(
      fc.property(any, fc.integer({ min: 2, max: 13 }), fc.boolean(), (targets, count, fit) => {
        const distinct = new Set(targets.labels).size;
        const wanted = outputs(fit ? Math.max(2, distinct) : count);
        try {
          const found = labelEncodings(targets, wanted, 'auto');
          expect(found.length).toBeGreaterThan(0);
          for (const { classOf, classes, order } of found) {
            const used = [...new Set(targets.labels)].map((label) => classOf.get(label));
            expect(used.every((at) => at !== undefined && at >= 0 && at < wanted.count)).toBe(true);
            expect(new Set(used).size).toBe(distinct);
            expect(classes!.length).toBe(wanted.count);
            const [again] = labelEncodings(targets, wanted, order as 'text');
            expect([...again!.classOf].sort()).toEqual([...classOf].sort());
            // What it calls the classes, as a list, is the same order.
            const [listed] = labelEncodings(targets, wanted, classes!);
            for (const label of targets.labels) expect(listed!.classOf.get(label)).toBe(classOf.get(label));
          }
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).not.toContain('\n');
          expect(fit && distinct >= 2 && targets.names !== undefined).toBe(false);
        }
      }),
      { seed: 4, numRuns: 1000 },
    );
  });

  it('of two numbers: as stored, or the other pair', () => {
    const of = (...values: number[]) => valueEncodings(new Set(values), 'here', 'auto').map(({ order }) => order);
    expect(of(0, 1)).toEqual(['stored', 'signs']);
    expect(of(1, -1)).toEqual(['stored', 'bits']);
    expect(of(1, 2)).toEqual(['stored']);
    expect(of(0.5)).toEqual(['stored']);
    expect(() => valueEncodings(new Set([1, 2]), 'here', 'signs')).toThrow(/"signs" does not fit.*"stored"/);
    expect(() => valueEncodings(new Set([1, 2]), 'here', ['a', 'b'])).toThrow(/\["a","b"\] does not fit/);
  });
});
