/** A column that is declared once is everywhere: in events, the stream, the monitor's tables, the charts with their CSV, TensorBoard. */
import { beforeAll, describe, expect, test } from 'vitest';
import { runScalars } from '../../../../daemon/export/tensorboard/runScalars.js';
import { RunEvent } from '../../../../daemon/protocol/events.js';
import { BatchColumns } from '../../../../daemon/protocol/messages.js';
import { CHARTS } from '../../../../daemon/protocol/telemetry/charts.js';
import { columnsOf, columnsOfEvent, EXTREMES, TELEMETRY, type TableName, type TelemetryEvent } from '../../../../daemon/protocol/telemetry/columns.js'; // prettier-ignore
import { RunSeries } from '../../../../extension/monitor/runSeries.js';
import { toWire } from '../../../../extension/monitor/wire.js';
import { fakeRun } from '../../../editor/page/fakeRun.js';

// strings.ts reads the page's translations when it loads.
(globalThis as { document?: unknown }).document = { getElementById: () => null };
let charts: typeof import('../../../../webview/chart/chartSpecs.js');
let curves: typeof import('../../../../webview/chart/curves.js');
let csv: typeof import('../../../../webview/chartCard/exports.js');
let runData: typeof import('../../../../webview/monitor/runData.js');
beforeAll(async () => {
  charts = await import('../../../../webview/chart/chartSpecs.js');
  curves = await import('../../../../webview/chart/curves.js');
  csv = await import('../../../../webview/chartCard/exports.js');
  runData = await import('../../../../webview/monitor/runData.js');
});

const EVENTS = Object.keys(TELEMETRY) as TelemetryEvent[];
const columns = EVENTS.flatMap((event) =>
  Object.entries(columnsOfEvent(event)).map(([name, column]) => ({ event, name, column })),
);
const tableOf: Record<TelemetryEvent, TableName> = { batch: 'batch', evaluation: 'theta/test', iteration: 'iteration' };
const START = 1_000_000;

/** An event with another number in every column, and its other required fields. */
function eventWith(event: TelemetryEvent): { parsed: RunEvent; numbers: Record<string, number> } {
  const numbers = Object.fromEntries(
    columns.filter((column) => column.event === event && !column.column.isDerived).map(({ name }, i) => [name, 10 + i]),
  );
  const rest = {
    batch: { phase: 'l-step' },
    evaluation: { at: 'theta', set: 'test', samples: 5 },
    iteration: { iterations: 3, perLayer: [], etaSeconds: null },
  }[event];
  return { parsed: RunEvent.parse({ time: START + 2000, event, ...rest, ...numbers }), numbers };
}

describe.each(EVENTS)('the columns of %s', (event) => {
  test('are fields of the event; a measure may be null, a number may not', () => {
    const { parsed, numbers } = eventWith(event);
    expect(parsed).toMatchObject(numbers);
    for (const { name, column } of columns.filter((each) => each.event === event && !each.column.isDerived)) {
      expect(RunEvent.safeParse({ ...parsed, [name]: null }).success, name).toBe(column.type === 'measure');
      const { [name]: _, ...without } = parsed as Record<string, unknown>;
      expect(RunEvent.safeParse(without).success, name).toBe(column.type === 'optional');
    }
  });

  test('are rows of its table, and reach the page', () => {
    const series = new RunSeries({ resumed: '', budget: '', phase: {} });
    series.apply(RunEvent.parse({ time: START, event: 'paused', step: 0 }));
    const { parsed, numbers } = eventWith(event);
    series.apply(parsed);
    const page = new runData.RunData(fakeRun({ id: 'r' }).view);
    page.apply(toWire(series.news(new Map())!));
    const table = tableOf[event];
    const charted = columns.filter((each) => each.event === event && !each.column.isUncharted).map(({ name }) => name);
    expect(columnsOf(table)).toEqual(charted);
    expect(charted).toContain(EXTREMES);
    const wanted = { epoch: 0, ...numbers, time: 2 };
    for (const name of charted) expect(Array.from(page.y(table, name)), name).toEqual([wanted[name as 'time']]);
  });

  test('are curves of TensorBoard where they have a tag', () => {
    const { parsed, numbers } = eventWith(event);
    const values = new Map(runScalars()(parsed)!.values);
    for (const { name, column } of columns.filter((each) => each.event === event && each.column.tag !== undefined)) {
      const tag = column.tag!.replace('{phase}', 'l-step').replace('{where}', 'theta/test');
      expect(values.get(tag), tag).toBe(numbers[name]);
    }
  });
});

test('batches are streamed with all their columns, time in that of events', () => {
  expect(Object.keys(BatchColumns.shape).sort()).toEqual(['run', ...Object.keys(TELEMETRY.batch)].sort());
  const one = Object.fromEntries(Object.entries(TELEMETRY.batch).map(([name], i) => [name, [i + 1]]));
  const series = new RunSeries({ resumed: '', budget: '', phase: {} });
  series.applyBatches(BatchColumns.parse({ run: 'r', ...one }));
  const { columns: rows } = series.news(new Map())!.batch!;
  expect(rows).toEqual({ ...Object.fromEntries(Object.entries(one).map(([name, [value]]) => [name, Float64Array.of(value!)])), time: Float64Array.of(0) }); // prettier-ignore
  expect(BatchColumns.safeParse({ run: 'r', ...one, loss: [null] }).success).toBe(true);
  for (const step of [[null], ['1'], [NaN], 1])
    expect(BatchColumns.safeParse({ run: 'r', ...one, step }).success).toBe(false);
});

test('every column with a curve is in the legend, the table and the CSV file of its chart', () => {
  const { view, tables } = fakeRun({ id: 'r', state: 'done' });
  const run = new runData.RunData(view);
  run.apply(toWire(tables));
  const theme = { palette: ['#000', '#111', '#222', '#333', '#444', '#555'] } as never;
  const specs = charts.chartSpecs();
  expect(specs.map(({ id }) => id)).toEqual(Object.keys(CHARTS));
  for (const { event, name, column } of columns.filter((each) => each.column.curve !== undefined)) {
    const spec = specs.find(({ id }) => id === column.curve!.chart)!;
    const settings = { axis: 'step', smoothing: 0, hidden: new Set<string>() } as const;
    const { legend } = curves.buildLines(spec, [run], settings, theme);
    const label = event === 'evaluation' ? 'test · pruned weights' : column.label;
    const entry = legend.find((each) => each.label === label)!;
    expect(entry, `${spec.id}: ${label}`).toBeDefined();
    const text = new TextDecoder().decode(csv.exportCsv('Step', legend.flatMap(({ lines }) => lines))); // prettier-ignore
    const table = tableOf[event];
    const share = column.curve!.asShare ? view.summary.prunable! : 1;
    const rows = Array.from(run.x(table, 'step'), (x, i) => `${label},${x},${run.y(table, name)[i]! / share}`);
    expect(text.split('\n'), label).toEqual(expect.arrayContaining(rows));
  }
});
