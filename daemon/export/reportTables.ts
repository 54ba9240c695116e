/** The tables of a report: the runs' events, the thinned network and the sizes of all formats. */
import type { RunEvent } from '../protocol/events.js';
import { distillText } from '../lc/distillation.js';
import { rateText } from '../lc/learningRate.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import type { Sizes } from './exportModel.js';
import type { Latencies } from './latency.js';
import type { Thinned } from './thin.js';
import * as format from '../protocol/format.js';
import { figure, orDash, rounded } from '../protocol/format.js';

export interface ReportRun {
  readonly name: string;
  readonly plan: ResolvedPlan;
  readonly events: readonly RunEvent[];
}

/** Sizes of the first run's result in every format, and its thinned network. */
export interface ReportExport {
  readonly sizes: Sizes;
  readonly thinned: Pick<Thinned, 'layers' | 'inputs' | 'weights' | 'flops'>;
  readonly latency?: Latencies;
}

export type Of<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>;
export const all = <Name extends RunEvent['event']>(run: ReportRun, name: Name): Of<Name>[] =>
  run.events.filter((event): event is Of<Name> => event.event === name);
export const last = <Name extends RunEvent['event']>(run: ReportRun, name: Name): Of<Name> | undefined =>
  all(run, name).at(-1);

export const percent = (value: number | null | undefined): string => orDash(value, (share) => format.percent(share));
export const { count } = format;

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function resultTable(runs: readonly ReportRun[]): Table {
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
  const unlabelled = runs.some(({ plan }) => plan.data.labels === false);
  return {
    title: unlabelled ? "Result, with errors against the reference's own answers" : 'Result',
    header: ['Method', 'Weights kept', 'Kept', 'Reference error', 'Before retraining', 'After retraining', 'Time'],
    rows,
  };
}

/** Each output of a model with several: before, and in the result. */
export function outputsTable(runs: readonly ReportRun[]): Table[] {
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
      ...[was?.loss, is?.loss].map((loss) => orDash(loss, (value) => figure(value, 4))),
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

/** The amount of each budget and what the written files contain. */
export function budgetTable(runs: readonly ReportRun[]): Table[] {
  const rows = runs.flatMap((run) =>
    (last(run, 'done')?.budget ?? []).map(({ task, kind, asked, limit, got, met }) => [
      run.plan.method,
      task,
      kind,
      asked,
      orDash(limit, count),
      count(rounded(got, 6)),
      met === null ? '-' : met ? 'yes' : 'NO: MISSED',
    ]),
  );
  const header = ['Method', 'Task', 'Of', 'Asked', 'Allowed', 'Got', 'Met'];
  return rows.length === 0 ? [] : [{ title: 'Budget, verified on the written file', header, rows }];
}

export function layerTable(runs: readonly ReportRun[]): Table {
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

/** Runs of earlier versions do not record it. */
const inputsText = (inputs: Of<'done'>['inputs'] = []): string =>
  inputs.length === 0
    ? 'as stored'
    : `not as stored: ${inputs.map(({ name, read }) => (inputs.length > 1 ? `${name} ${read}` : read)).join('; ')}`;

export function settingsTable(run: ReportRun): Table {
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
    ['L step', `SGD, batch ${t.batchSize}, ${rateText(t)}, ${t.nesterov ? 'Nesterov ' : ''}momentum ${t.momentum}`],
    ['Retraining', `${plan.retrain.epochs} epochs, ${rateText({ ...plan.retrain, decayMode: 'epoch' })}`],
    ...(plan.distill ? [['Distillation', distillText(plan.distill)]] : []),
    ['Engine', start ? `${start.engine} (${start.device})` : plan.engine],
    ['Seed', String(plan.seed)],
  ];
  return { title: 'Settings', header: ['Setting', 'Value'], rows };
}

export function sizesTable({ formats, reference }: Sizes): Table {
  const rows = formats.map(({ name, bytes, gzip, brotli, ratio }) => [
    name,
    ...[bytes, gzip, brotli].map(count),
    `${figure(ratio)}x`,
  ]);
  return {
    title: 'Sizes',
    header: ['Format', 'Bytes', 'gzip', 'brotli', `Smaller than ${count(reference)} bytes of dense float32`],
    rows,
  };
}

export function survivorsTable({ inputs, layers, weights, flops }: ReportExport['thinned']): Table {
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

export function latencyTable({ machine, rows }: Latencies): Table {
  return {
    title: 'Latency',
    header: ['Network', 'By', 'Samples', `Microseconds a call (${machine})`, 'Faster'],
    rows: rows.map(({ what, batch, microseconds, speedup }) => [
      what,
      what === 'sparse module' ? 'JavaScript' : 'onnxruntime',
      String(batch),
      figure(microseconds),
      orDash(speedup, (value) => `${figure(value)}x`),
    ]),
  };
}
