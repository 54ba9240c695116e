/** Size on disk of a pruned model, of its thin export, and latency here: measured, and shown. */
import { measureModel, type Sizes } from '../export/exportModel.js';
import { measureLatency, type Latencies } from '../export/latency.js';
import type { ReportExport } from '../export/reportTables.js';
import { thin } from '../export/thin.js';
import type { Model } from '../model/model.js';
import type { MeasuredExports } from '../protocol/exports.js';
import type { Terminal } from './terminal.js';
import { bytes, count, microseconds, percent, table, times } from './text.js';

/** @param reference null if it is not known. Takes some seconds. */
export async function measureExport(
  model: Model,
  reference: Model | null,
  terminal: Terminal,
): Promise<Required<ReportExport>> {
  terminal.status('writing every format');
  const sizes = await measureModel(model);
  terminal.status('measuring the latency');
  const latency = await measureLatency(model, reference);
  terminal.status('');
  return { sizes, thinned: thin(model), latency };
}

/** @param shown.measured errors of the files, where they are known. */
export function printExport(
  { sizes, thinned, latency, measured = null }: Required<ReportExport> & { readonly measured?: MeasuredExports | null },
  terminal: Terminal,
): void {
  printSizes(sizes, measured, terminal);
  terminal.print('');
  printSurvivors(thinned, terminal);
  terminal.print('');
  printLatency(latency, terminal);
}

function printSizes({ reference, formats, left }: Sizes, measured: MeasuredExports | null, terminal: Terminal): void {
  const errors = new Map(measured?.formats.map((one) => [one.format, one]));
  const errorOf = (format: string): number | null => errors.get(format)?.error ?? null;
  for (const size of formats)
    terminal.emit({ event: 'format', ...size, ...(measured && { error: errorOf(size.format) }) });
  for (const one of left) terminal.emit({ event: 'format-left', ...one });
  const rows = formats.map((size) => [
    size.format,
    size.name,
    ...[size.bytes, size.gzip, size.brotli].map(bytes),
    `${times(size.ratio)}x`,
    ...(measured ? [errorText(errorOf(size.format))] : []),
  ]);
  const columns = ['format', 'what', 'bytes', 'gzip', 'brotli', 'smaller', ...(measured ? ['error'] : [])];
  terminal.print(table(columns, rows));
  terminal.print(`Compared with the reference's ${bytes(reference)} of dense float32 weights.`);
  for (const { format, reason } of left) terminal.print(`note: not as ${format}: ${reason}`);
  const unmeasured = formats.filter(({ format }) => measured && errorOf(format) === null);
  for (const { format } of unmeasured)
    terminal.print(
      `note: no error of ${format}: ${errors.get(format)?.errorNote ?? 'it was not measured when the run ended'}`,
    );
}

const errorText = (error: number | null): string => (error === null ? '' : percent(error));

function printSurvivors({ layers, inputs, weights, flops }: ReportExport['thinned'], terminal: Terminal): void {
  const read = inputs.map((input) => ({
    name: input.name,
    features: input.read.length,
    read: input.read.reduce((sum, one) => sum + one, 0),
  }));
  terminal.emit({ event: 'thinned', layers, inputs: read, weights, flops });
  const share = (kept: number, of: number) => `${count(kept)} of ${count(of)} (${percent(kept / of, 1)})`;
  terminal.print(
    table(
      ['thinned', 'survive'],
      [
        ...read.map((input) => [`inputs ${input.name}`, share(input.read, input.features)]),
        ...layers.map(({ layer, units, kept }) => [layer, share(kept, units)]),
        ['weights', share(weights.after, weights.before)],
        ['FLOPs', share(flops.after, flops.before)],
      ],
    ),
  );
}

function printLatency({ machine, rows, left }: Latencies, terminal: Terminal): void {
  for (const row of rows) terminal.emit({ event: 'latency', machine, ...row });
  for (const one of left) terminal.emit({ event: 'latency-left', ...one });
  const batches = [...new Set(rows.map(({ batch }) => batch))];
  const whats = [...new Set(rows.map(({ what }) => what))];
  const cell = (what: string, batch: number): string[] => {
    const row = rows.find((one) => one.what === what && one.batch === batch);
    return row ? [microseconds(row.microseconds), row.speedup === null ? '' : `${times(row.speedup)}x`] : ['', ''];
  };
  terminal.print(
    table(
      ['latency', 'by', ...batches.flatMap((batch) => [batch === 1 ? '1 sample' : `${batch} samples`, 'faster'])],
      whats.map((what) => [
        what,
        what === 'sparse module' ? 'JavaScript' : 'onnxruntime',
        ...batches.flatMap((batch) => cell(what, batch)),
      ]),
    ),
  );
  terminal.print(`Medians of whole calls from JavaScript on this machine: ${machine}.`);
  for (const { what, reason } of left) terminal.print(`note: no latency of ${what}: ${reason}`);
}
