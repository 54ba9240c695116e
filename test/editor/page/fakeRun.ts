/**
 * Runs that look like the product's on LeNet300, for page tests, screenshots of the page alone and the redraw benchmark. The
 * numbers are made by formulas with seeded noise; they are never presented as results.
 */
import { toWire } from '../../../extension/monitor/wire.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { ColumnTable } from '../../../webview/messages/columns.js';
import { columnsOf, type TableName } from '../../../daemon/protocol/telemetry/columns.js';
import type { ColumnPatch, RunView, ToPage } from '../../../webview/messages/monitor.js';

export interface FakeOptions {
  id: string;
  colour?: number;
  iterations?: number;
  of?: number;
  batches?: number;
  kept?: number;
  method?: string;
  state?: RunView['summary']['state'];
  seed?: number;
  floor?: number;
  /** Step at which the loss is not a number. */
  broken?: number;
}

const LAYERS = [
  { layer: 'fc1', weights: 235200, share: 0.55 },
  { layer: 'fc2', weights: 30000, share: 2.6 },
  { layer: 'fc3', weights: 1000, share: 48 },
];
const PRUNABLE = 266200;
const START = Date.UTC(2026, 0, 15, 9, 30);

export interface FakeRun {
  view: RunView;
  tables: Partial<Record<TableName, ColumnPatch>>;
}

export function fakeRun({
  id,
  colour = 0,
  iterations = 18,
  of = 30,
  batches = 235,
  kept = 0.01,
  method = 'lc',
  state = 'running',
  seed = 1,
  floor = 0.0195,
  broken,
}: FakeOptions): FakeRun {
  const random = createRandom(seed);
  const tables = new Map<TableName, ColumnTable>();
  const table = (name: TableName) => {
    let found = tables.get(name);
    if (!found) tables.set(name, (found = new ColumnTable(columnsOf(name))));
    return found;
  };
  const direct = 0.35 + 0.1 * random.next();
  table('direct/test').push([0, 0, 0, 1.9, direct]);
  let step = 0;
  for (let j = 0; j < iterations; j++) {
    const mu = 1e-4 * 1.25 ** j;
    for (let b = 0; b < batches; b++) {
      step++;
      const base = 0.012 + 0.1 * Math.exp(-j / 5) * Math.exp(-b / 90) + 0.02 * Math.exp(-j / 9);
      table('batch').push([
        step,
        j + b / batches,
        step * 0.0062,
        broken === step ? NaN : base * Math.exp(0.45 * random.normal()),
        0.1 * 0.98 ** j,
        41000 + 1800 * random.normal() - (b === 0 ? 9000 : 0),
      ]);
    }
    const closing = Math.exp(-j / 5.5);
    const w = floor - 0.002 + 0.004 * Math.exp(-j / 6) + 0.0003 * random.normal();
    const theta = floor + (direct - floor) * closing ** 1.4 + 0.0004 * random.normal();
    const at = [step, j + 1, step * 0.0062];
    table('w/train').push([...at, 0.004 + 0.02 * closing, Math.max(0, w - 0.012)]);
    table('w/test').push([...at, 0.062 + 0.02 * closing, w]);
    table('theta/train').push([...at, 0.006 + 1.8 * closing ** 1.3, Math.max(0.0005, theta - 0.013)]);
    table('theta/test').push([...at, 0.066 + 1.8 * closing ** 1.3, theta]);
    table('iteration').push([
      ...at,
      j,
      mu,
      11 * Math.exp(-j / 4.2) + 0.004,
      0.9 * Math.exp(-j / 6),
      0.07,
      theta,
      Math.ceil(PRUNABLE * kept),
      Math.round(2 * PRUNABLE * kept * Math.exp(-j / 3)),
      1.5,
    ]);
  }
  if (state === 'done') table('retrained/test').push([step, iterations, step * 0.0062, 0.061, floor - 0.0008]);
  const error = table('theta/test').column('error').at(-1) ?? null;
  const total = Math.ceil(PRUNABLE * kept);
  const layers = LAYERS.map(({ layer, weights, share }) => ({
    layer,
    weights,
    kept: Math.min(weights, Math.round(weights * kept * share)),
  }));
  return {
    view: {
      id,
      name: id,
      colour,
      hasPlan: true,
      device: 'CPU',
      errorSet: 'test',
      referenceError: 0.0178,
      directError: direct,
      layers,
      marks: state === 'done' ? [{ step, epoch: iterations, time: step * 0.0062, label: 'retrain' }] : [],
      warnings: broken ? [{ time: START + 60_000, message: `Loss is not finite at step ${broken}.` }] : [],
      mapping: [],
      summary: {
        run: id,
        plan: id,
        model: 'lenet300/model.json',
        method,
        engine: 'compiled',
        state,
        started: START,
        ended: state === 'done' ? START + step * 6.2 : null,
        iteration: iterations,
        iterations: of,
        progress: iterations / of,
        error: state === 'done' ? floor - 0.0008 : error,
        referenceError: 0.0178,
        kept: total,
        prunable: PRUNABLE,
        etaSeconds: state === 'running' ? (of - iterations) * 1.5 + 12 : null,
        samplesPerSecond: 41250,
        message: null,
      },
    },
    tables: Object.fromEntries(
      Array.from(tables, ([name, rows]) => [name, { reset: true, columns: rows.slice() } satisfies ColumnPatch]),
    ),
  };
}

/** A picture of the first layer: the digits' middle survives, the border does not. */
export function fakePicture(run: string): ToPage {
  const random = createRandom(7);
  const edges = Array.from({ length: 41 }, (_, i) => -0.5 + i / 40);
  const bell = (x: number, width: number) => Math.exp(-((x / width) ** 2) / 2);
  const mid = edges.slice(0, -1).map((e) => e + 0.0125);
  return {
    type: 'picture',
    run,
    layer: 'fc1',
    problem: null,
    picture: {
      layer: 'fc1',
      shape: [784, 300],
      edges,
      w: mid.map((x) => Math.round(40000 * bell(x, 0.06))),
      theta: mid.map((x) => (Math.abs(x) < 0.14 ? 0 : Math.round(420 * bell(x, 0.16)))),
      zeros: 235200 - 1294,
      keptPerInput: Array.from({ length: 784 }, (_, i) => {
        const y = Math.floor(i / 28) - 13.5;
        const x = (i % 28) - 13.5;
        return Math.max(0, Math.round(5.5 * bell(Math.hypot(x * 1.15, y), 6) + random.normal() - 0.6));
      }),
      inputImage: [28, 28, 1],
    },
  };
}

/** All messages that show these runs. */
export function hydration(
  runs: readonly FakeRun[],
  difference: Extract<ToPage, { type: 'runs' }>['difference'] = [],
): ToPage[] {
  return [
    {
      type: 'runs',
      runs: runs.map((run) => run.view),
      primary: runs[0]?.view.id ?? null,
      starting: null,
      difference,
      trusted: true,
    },
    ...runs.map((run): ToPage => ({ type: 'columns', run: run.view.id, tables: toWire(run.tables) })),
    ...(runs[0] ? [fakePicture(runs[0].view.id)] : []),
  ];
}
