/** The columns of a list of runs, and what derives from them: order, search, CSV, Markdown, names. */
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { budgetLabel, planBudgetLabel } from '../../../daemon/protocol/runs/budgetLabel.js';
import {
  byColumn,
  columnOf,
  fits,
  RUN_COLUMNS,
  runsCsv,
  runsMarkdown,
  searchText,
  searchWords,
  shownColumns,
} from '../../../daemon/protocol/runs/columns.js';
import { MarksChange } from '../../../daemon/protocol/runs/marks.js';
import { givenName, runLabel } from '../../../daemon/protocol/runs/runLabel.js';
import { pointRows, runRow, type RunFacts } from '../../../daemon/protocol/runs/runRow.js';
import { runName, timeStamp } from '../../../daemon/trainer/process/runFolder.js';

const NOON = Date.UTC(2026, 0, 2, 12);
const facts = (part: Partial<RunFacts> = {}): RunFacts => ({
  name: '2026-01-02T12-00-00-net',
  plan: 'net',
  model: 'net.json',
  method: 'lc',
  engine: 'native-cpu',
  state: 'done',
  started: NOON,
  ended: NOON + 90_000,
  error: 0.02,
  referenceError: 0.018,
  kept: 10,
  prunable: 1000,
  budget: '1%',
  ...part,
});
const row = (part: Partial<RunFacts> = {}) => runRow(facts(part));
const texts = (part: Partial<RunFacts>) =>
  Object.fromEntries(RUN_COLUMNS.map((column) => [column.id, column.text(row(part))]));

describe('columns', () => {
  it('say what people read, and nothing where there is nothing', () => {
    expect(texts({ bytes: 26_624, marks: { star: true, tags: ['a', 'b c'], note: 'good' } })).toMatchObject({
      run: '2026-01-02T12-00-00-net', star: '★', plan: 'net', state: 'Finished', budget: '1%', kept: '1.00%', error: '2.00%',
      difference: '+0.20%', reference: '1.80%', size: '26 kB', time: '1 min 30 s', engine: 'native-cpu', method: 'lc', model: 'net.json',
      tags: 'a, b c', note: 'good',
    }); // prettier-ignore
    expect(texts({ error: null, kept: null, engine: null })).toMatchObject({ error: '', difference: '', kept: '', size: '', engine: '', star: '' }); // prettier-ignore
    const cautions = [{ code: 'near-chance', message: 'near chance', serious: true }];
    expect(texts({ cautions })).toMatchObject({ state: 'Finished, with warnings', caution: 'near chance' });
    // A finished run reports its own duration, without pauses.
    expect(texts({ seconds: 30 }).time).toBe('30 s');
  });

  it('have ids and titles of their own, and can be left out where they are empty', () => {
    expect(new Set(RUN_COLUMNS.map(({ id }) => id)).size).toBe(RUN_COLUMNS.length);
    expect(new Set(RUN_COLUMNS.map(({ title }) => title)).size).toBe(RUN_COLUMNS.length);
    expect(shownColumns([row()]).map(({ id }) => id)).not.toContain('folder');
    expect(shownColumns([row(), runRow(facts(), { folder: 'two' })]).map(({ id }) => id)).toContain('folder');
  });

  it.each(RUN_COLUMNS.map(({ id }) => id))('order rows by %s, those without a value last either way', (id) => {
    const column = columnOf(id)!;
    const rows = [
      row({ name: 'c', plan: 'c', error: 0.3, bytes: 3, kept: 3, seconds: 3, started: NOON + 3, budget: '3%', model: 'c', engine: 'c', method: 'c', referenceError: 0.02 }),
      row({ name: 'a', plan: 'a', error: 0.1, bytes: 1, kept: 1, seconds: 1, started: NOON + 1, budget: '1%', model: 'a', engine: 'a', method: 'a', referenceError: 0.01, marks: { star: true, tags: ['x'], note: 'y' } }),
      row({ name: 'b', plan: 'b', error: null, kept: null, engine: null, budget: undefined, referenceError: null }),
    ]; // prettier-ignore
    const sorted = (direction: 'ascending' | 'descending') =>
      [...rows].sort(byColumn(column, direction)).map((one) => column.value(one));
    const up = sorted('ascending').filter((value) => value !== null);
    const down = sorted('descending').filter((value) => value !== null);
    expect(down).toEqual([...up].reverse());
    for (const direction of ['ascending', 'descending'] as const) {
      const values = sorted(direction);
      const none = values.indexOf(null);
      expect(none < 0 || values.slice(none).every((value) => value === null)).toBe(true);
    }
  });

  it('order numbers in texts as numbers', () => {
    const rows = ['10%', '2%', '1%'].map((budget) => row({ budget }));
    expect(rows.sort(byColumn(columnOf('budget')!, 'ascending')).map(({ budget }) => budget)).toEqual(['1%', '2%', '10%']); // prettier-ignore
  });

  it('are searched in all texts at once, states among them', () => {
    const text = searchText(row({ marks: { star: false, tags: ['Paper'], note: 'Table 3' } }));
    expect(fits(text, searchWords('PAPER finished 1%'))).toBe(true);
    expect(fits(text, searchWords('paper failed'))).toBe(false);
    expect(fits(text, searchWords('  '))).toBe(true);
  });
});

describe('what is written for other programs', () => {
  it('is CSV that a parser of others reads back in full, formulas disarmed', () => {
    const note = 'says "2, 3"\nand more';
    const rows = [row({ error: 1 / 3, marks: { star: false, tags: ['=1+1'], note } }), row({ error: null })];
    const [first, second] = parse(runsCsv(rows), { columns: true }) as Record<string, string>[];
    expect(first).toMatchObject({ Run: '2026-01-02T12-00-00-net', Date: '2026-01-02T12:00:00.000Z', Tags: "'=1+1", Note: note, Point: '' }); // prettier-ignore
    expect(Number(first!.Error)).toBe(1 / 3);
    expect(Number(first!.Difference)).toBe(1 / 3 - 0.018);
    expect(second!.Error).toBe('');
  });

  it('is a Markdown table in which no text breaks a row or a cell', () => {
    const lines = runsMarkdown([row({ marks: { star: true, tags: [], note: 'a | b\nc' } })]).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toContain('a \\| b c');
    const cells = (line: string) => line.split(/(?<!\\)\|/).length;
    expect(new Set(lines.slice(0, 3).map(cells)).size).toBe(1);
  });

  it('has the points of a path behind their run', () => {
    const path = facts({ points: [{ point: 1, budget: '5%', kept: 0.05, error: 0.01, bytes: 100, seconds: 9 }] });
    const [point] = pointRows(path, runRow(path));
    expect(point).toMatchObject({ point: 1, budget: '5%', kept: 0.05, referenceError: 0.018, star: false });
    expect(columnOf('plan')!.text(point!)).toBe('Point 1');
    expect(parse(runsCsv([point!]), { columns: true })).toMatchObject([{ Point: '1', Error: '0.01' }]);
  });
});

describe('names of runs', () => {
  it('distinguish runs of one plan by budget and second', () => {
    const label = (budget: string, started: number) =>
      runLabel({ name: runName(timeStamp(started), 'net'), plan: 'net', budget, started });
    const labels = [label('1%', NOON), label('2%', NOON), label('1%', NOON + 1000), label('1%', NOON + 86_400_000)];
    expect(new Set(labels).size).toBe(4);
    expect(labels[0]).toMatch(/^net 1% · .*Jan 2/);
  });

  it.each(['net', 'Mein Netz: groß/klein', '..odd..', '網路'])('know the folder names of a plan called %s', (plan) => {
    const name = runName('2026-01-02T12-00-00', plan);
    expect(givenName({ name, plan })).toBeNull();
    expect(givenName({ name: `${name}-2`, plan })).toBeNull();
    expect(givenName({ name: runName('2026-01-02T12-00-00', 'my best'), plan })).toBe('my-best');
  });

  it('never end in a dot, which Windows drops, however long the name of the plan is', () => {
    for (let length = 70; length < 90; length++)
      expect(runName('2026-01-02T12-00-00', `${'a'.repeat(length)}..b`)).toMatch(/[^.-]$/);
  });
});

describe('budgets in words', () => {
  it.each([
    [{ keep: '1%' }, '1%'],
    [{ keep: 0.05 }, '5%'],
    [{ weights: 2662 }, '2,662 weights'],
    [{ bytes: 40_960 }, '40 kB'],
    [{ bytes: '40 kB' }, '40 kB'],
    [{ flops: '50%' }, '50% FLOPs'],
    [{ neurons: 10, prune: 'neurons' as const }, '10 neurons'],
    [{ neurons: '50%' }, '50% of neurons'],
    [{ keep: '10%', prune: 'neurons' as const, quantize: { codebook: 'int8' as const } }, '10%, whole neurons, int8'],
    [{ alpha: 0.001, norm: 'l1' as const }, 'alpha 0.001, l1'],
    [{ pattern: '2:4' }, '2:4'],
  ])('%j is %s', (budget, text) => expect(budgetLabel(budget)).toBe(text));

  it('of a path are its ends, of several tasks each', () => {
    const tasks = [{ name: 'all', budget: { keep: '1%' } }];
    expect(planBudgetLabel({ tasks, path: { budgets: [{ keep: '10%' }, { keep: '5%' }, { keep: '1%' }] } })).toBe(
      '10% … 1%',
    );
    expect(planBudgetLabel({ tasks: [...tasks, { name: 'fc', budget: { bytes: 1024 } }] })).toBe('all: 1%; fc: 1 kB');
  });
});

describe('marks', () => {
  it.each([{ tags: ['a', 'a'] }, { tags: ['a,b'] }, { tags: [' a'] }, { tags: [''] }, { star: 1 }, { note: 'x'.repeat(10_001) }, { stars: true }])('refuse %j', (change) => {
    expect(MarksChange.safeParse(change).success).toBe(false);
  }); // prettier-ignore
});
