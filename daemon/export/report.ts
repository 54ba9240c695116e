/** The report of one run, or of a run beside its baselines: Markdown and self-contained HTML with the same content. Pure: text in, text out. */
import type { RunEvent } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { budgetLabel } from '../protocol/runs/budgetLabel.js';
import { curveSvg, escapeXml } from './curve.js';
import type { Sizes } from './exportModel.js';
import type { Latencies } from './latency.js';
import type { Thinned } from './thin.js';
import * as format from '../protocol/format.js';

export interface ReportRun {
  readonly name: string;
  readonly plan: ResolvedPlan;
  readonly events: readonly RunEvent[];
}

/** What the first run's result takes on disk, and what thinning leaves of it. */
export interface ReportExport {
  readonly sizes: Sizes;
  readonly thinned: Pick<Thinned, 'layers' | 'inputs' | 'weights' | 'flops'>;
  readonly latency?: Latencies;
}

type Of<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>;
const all = <Name extends RunEvent['event']>(run: ReportRun, name: Name): Of<Name>[] =>
  run.events.filter((event): event is Of<Name> => event.event === name);
const last = <Name extends RunEvent['event']>(run: ReportRun, name: Name): Of<Name> | undefined =>
  all(run, name).at(-1);

const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : format.percent(value);
const { count } = format;

interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function resultTable(runs: readonly ReportRun[]): Table {
  const rows = runs.flatMap((run) => {
    const done = last(run, 'done');
    if (!done) return [];
    return [
      [
        run.plan.method,
        count(done.kept),
        percent(done.kept / done.prunable),
        percent(done.reference.error),
        percent(done.theta.error),
        percent(done.retrained.error),
        `${Math.round(done.seconds)} s`,
      ],
    ];
  });
  return {
    title: 'Result',
    header: ['Method', 'Weights kept', 'Kept', 'Reference error', 'Before retraining', 'After retraining', 'Time'],
    rows,
  };
}

/** Each output of a model with several: before, and in the result. */
function outputsTable(runs: readonly ReportRun[]): Table[] {
  const rows = runs.flatMap((run) => {
    const done = last(run, 'done');
    const before = done?.reference.outputs ?? [];
    const trained = before.map(({ output, weight, ...was }) => {
      const is = done?.retrained.outputs?.find((one) => one.output === output);
      return { output, weight: String(weight), was, is };
    });
    const others = (done?.others ?? []).map(({ output, before: was, after: is }) => ({ output, weight: 'not trained', was, is })); // prettier-ignore
    return [...trained, ...others].map(({ output, weight, was, is }) => [
      run.plan.method,
      output,
      weight,
      ...[was?.loss, is?.loss].map((loss) => loss?.toPrecision(4) ?? '-'),
      ...[was?.error, is?.error].map(percent),
    ]);
  });
  const header = [
    'Method',
    'Output',
    'Loss weight',
    'Reference loss',
    'Result loss',
    'Reference error',
    'Result error',
  ];
  return rows.length === 0 ? [] : [{ title: 'Outputs', header, rows }];
}

/** What each budget asked for and what is in the written files. */
function budgetTable(runs: readonly ReportRun[]): Table[] {
  const rows = runs.flatMap((run) =>
    (last(run, 'done')?.budget ?? []).map(({ task, kind, asked, limit, got, met }) => [
      run.plan.method,
      task,
      kind,
      asked,
      limit === null ? '-' : count(limit),
      count(Number(got.toPrecision(6))),
      met === null ? '-' : met ? 'yes' : 'NO: MISSED',
    ]),
  );
  const header = ['Method', 'Task', 'Of', 'Asked', 'Allowed', 'Got', 'Met'];
  return rows.length === 0 ? [] : [{ title: 'Budget, verified on the written file', header, rows }];
}

function layerTable(runs: readonly ReportRun[]): Table {
  const done = runs.map((run) => last(run, 'done'));
  const layers = done[0]?.perLayer ?? [];
  const rows = layers.map((layer) => [
    layer.layer,
    count(layer.weights),
    ...done.flatMap((one) => {
      const row = one?.perLayer.find((candidate) => candidate.layer === layer.layer);
      return row ? [count(row.kept), percent(row.kept / row.weights)] : ['-', '-'];
    }),
  ]);
  return {
    title: 'Kept per layer',
    header: ['Layer', 'Weights', ...runs.flatMap((run) => [`Kept (${run.plan.method})`, 'Share'])],
    rows,
  };
}

/** Runs of earlier versions do not say. */
const inputsText = (inputs: Of<'done'>['inputs'] = []): string =>
  inputs.length === 0
    ? 'as stored'
    : `not as stored: ${inputs.map(({ name, read }) => (inputs.length > 1 ? `${name} ${read}` : read)).join('; ')}`;

function settingsTable(run: ReportRun): Table {
  const { plan } = run;
  const start = last(run, 'start');
  const s = plan.schedule;
  const t = plan.training;
  const rows = [
    ['Model', 'path' in plan.model ? plan.model.path : plan.model.architecture],
    ['Data', plan.data.source],
    ['Inputs', inputsText(last(run, 'done')?.inputs)],
    ...plan.tasks.map((task) => [`Budget of ${task.layers.join(', ')}`, JSON.stringify(task.budget)]),
    [
      'Schedule',
      `mu_j = ${s.mu0} x ${s.a}^j, ${s.iterations} iterations, ${s.multipliers}, ${s.epochs} epochs an L step`,
    ],
    [
      'L step',
      `SGD, batch ${t.batchSize}, learning rate ${t.learningRate} x ${t.decay} per ${t.decayMode}, ${t.nesterov ? 'Nesterov ' : ''}momentum ${t.momentum}`,
    ],
    ['Retraining', `${plan.retrain.epochs} epochs, learning rate ${plan.retrain.learningRate}`],
    ['Engine', start ? `${start.engine} (${start.device})` : plan.engine],
    ['Seed', String(plan.seed)],
  ];
  return { title: 'Settings', header: ['Setting', 'Value'], rows };
}

function sizesTable({ formats, reference }: Sizes): Table {
  const rows = formats.map(({ name, bytes, gzip, brotli, ratio }) => [
    name,
    ...[bytes, gzip, brotli].map(count),
    `${ratio.toPrecision(3)}x`,
  ]);
  return {
    title: 'Sizes',
    header: ['Format', 'Bytes', 'gzip', 'brotli', `Smaller than ${count(reference)} bytes of dense float32`],
    rows,
  };
}

function survivorsTable({ inputs, layers, weights, flops }: ReportExport['thinned']): Table {
  const row = (name: string, before: number, after: number) => [
    name,
    count(before),
    count(after),
    percent(after / before),
  ];
  return {
    title: 'What thinning leaves',
    header: ['Of', 'Before', 'After', 'Share'],
    rows: [
      ...inputs.map(({ name, read }) =>
        row(
          `inputs (${name})`,
          read.length,
          read.reduce((sum, one) => sum + one, 0),
        ),
      ),
      ...layers.map(({ layer, units, kept }) => row(`units of ${layer}`, units, kept)),
      row('weights and biases', weights.before, weights.after),
      row('FLOPs', flops.before, flops.after),
    ],
  };
}

function latencyTable({ machine, rows }: Latencies): Table {
  return {
    title: 'Latency',
    header: ['Network', 'By', 'Samples', `Microseconds a call (${machine})`, 'Faster'],
    rows: rows.map(({ what, batch, microseconds, speedup }) => [
      what,
      what === 'sparse module' ? 'JavaScript' : 'onnxruntime',
      String(batch),
      microseconds.toPrecision(3),
      `${speedup.toPrecision(3)}x`,
    ]),
  };
}

/** One row a budget of a path, large to small; the same budget of the other runs beside it. */
function pathTable(runs: readonly ReportRun[]): Table[] {
  const points = all(runs[0]!, 'point').sort((a, b) => b.kept - a.kept);
  if (points.length === 0) return [];
  const chosen = last(runs[0]!, 'done')?.path?.point;
  const others = runs.slice(1).filter((run) => run.plan.path);
  const beside = (run: ReportRun, budget: Budget) =>
    all(run, 'point').find((point) => JSON.stringify(point.budget) === JSON.stringify(budget))?.retrained.error;
  const rows = points.map((point) => [
    `${point.point}${point.point === chosen ? ' (the result)' : ''}`,
    budgetLabel(point.budget),
    count(point.kept),
    percent(point.kept / point.prunable),
    point.bytes === null ? '-' : count(point.bytes),
    percent(point.theta.error),
    percent(point.retrained.error),
    ...others.map((run) => percent(beside(run, point.budget))),
    point.epochs.toString(),
  ]);
  return [
    {
      title: 'Path',
      header: [
        'Point',
        'Budget',
        'Weights kept',
        'Kept',
        'Sparse package, bytes',
        'Before retraining',
        'After retraining',
        ...others.map((run) => `After retraining (${run.plan.method})`),
        'Epochs',
      ],
      rows,
    },
  ];
}

/** Error against kept weights, a series for each path. */
function pathCurve(runs: readonly ReportRun[]): string[] {
  const series = runs
    .map((run) => ({
      name: run.plan.method,
      points: all(run, 'point')
        .map((point) => [(100 * point.kept) / point.prunable, 100 * (point.retrained.error ?? Number.NaN)] as const)
        .sort((a, b) => a[0] - b[0]),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [curveSvg(series, { title: 'Error after retraining', x: 'kept %', y: 'error %', logX: true })];
}

function curves(runs: readonly ReportRun[]): string[] {
  const series = (pick: (event: Of<'iteration'>) => number | null) =>
    runs
      .map((run) => ({
        name: run.plan.method,
        points: all(run, 'iteration').map((event) => [event.iteration + 1, pick(event) ?? Number.NaN] as const),
      }))
      .filter((one) => one.points.length > 0);
  // The iterations of a path start over with every budget.
  if (runs.some((run) => run.plan.path)) return pathCurve(runs);
  const error = series((event) => (event.error === null ? null : 100 * event.error));
  const ratio = series((event) => event.ratio);
  return [
    curveSvg(error, { title: 'Test error at theta', x: 'LC iteration', y: 'error %', logY: true }),
    curveSvg(ratio, { title: 'Distance ||w - theta|| / ||w||', x: 'LC iteration', y: 'ratio', logY: true }),
  ];
}

const markdownTable = (table: Table): string => {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `## ${table.title}`,
    '',
    line(table.header),
    line(table.header.map(() => '---')),
    ...table.rows.map(line),
    '',
  ].join('\n');
};

const htmlTable = (table: Table): string => {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('');
  return `<h2>${escapeXml(table.title)}</h2><table><thead><tr>${cells('th scope="col"', table.header).replaceAll('</th scope="col">', '</th>')}</tr></thead><tbody>${table.rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table>`;
};

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse;margin:0.5rem 0 1.5rem}th,td{border-bottom:1px solid #8884;padding:0.3rem 0.8rem;text-align:left}
td:not(:first-child){font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto;display:block;margin:1rem 0}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}}`;

/**
 * @param runs the run itself first, then its baselines. All have ended with `done`.
 * @param exported of the first run: measureModel and thin of its result.
 */
export function renderReport(runs: readonly ReportRun[], exported?: ReportExport): { markdown: string; html: string } {
  const first = runs[0]!;
  const title = `Pruning report: ${first.name}`;
  const onDisk = exported ? [sizesTable(exported.sizes), survivorsTable(exported.thinned)] : [];
  if (exported?.latency) onDisk.push(latencyTable(exported.latency));
  const tables = [
    resultTable(runs),
    ...outputsTable(runs),
    ...budgetTable(runs),
    ...pathTable(runs),
    layerTable(runs),
    ...onDisk,
    settingsTable(first),
  ];
  const notes = runs.flatMap((run) =>
    run.events.flatMap((event) => (event.event === 'warning' || event.event === 'engine' ? [event.message] : [])),
  );
  const findings = last(first, 'done')?.findings?.map(({ message }) => message) ?? [];
  const markdownFindings = findings.map((message) => `**${message}.**\n`);
  const htmlFindings = findings.map((message) => `<p><strong>${escapeXml(message)}.</strong></p>`).join('');
  const markdownNotes = notes.length > 0 ? `## Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}\n` : '';
  const htmlNotes =
    notes.length > 0 ? `<h2>Notes</h2><ul>${notes.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul>` : '';
  return {
    markdown: [`# ${title}`, '', ...markdownFindings, ...tables.map(markdownTable), markdownNotes].join('\n'),
    html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeXml(title)}</title><style>${STYLE}</style></head><body><h1>${escapeXml(title)}</h1>${htmlFindings}${htmlTable(tables[0]!)}${curves(runs).join('')}${tables.slice(1).map(htmlTable).join('')}${htmlNotes}</body></html>`,
  };
}
