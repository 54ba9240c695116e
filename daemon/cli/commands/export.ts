import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { exportModel, findFormat, measureModel, readResult, type Sizes } from '../../export/exportModel.js';
import { readSparsePackage } from '../../export/readSparsePackage.js';
import { thin, type Thinned } from '../../export/thin.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/readModel.js';
import { resolveInside } from '../../model/workspacePath.js';
import { workspaceFor } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import { findRun } from '../../runs/registry.js';
import { stringOption, type Command } from '../command.js';
import type { Terminal } from '../terminal.js';
import { bytes, count, percent, table } from '../text.js';

interface Source {
  readonly model: Model;
  /** What its exports are called after. */
  readonly name: string;
}

/** A model file, or the result of a run (its folder or its name). */
async function readSource(from: string, workspace: string | undefined): Promise<Source> {
  if ((await stat(from).catch(() => null))?.isFile()) {
    const path = resolve(from);
    const stem = basename(path, extname(path));
    // TensorFlow.js calls every model "model"; its folder says more.
    const name = stem === 'model' ? basename(dirname(path)) : stem;
    if (path.endsWith('.lcp')) return { model: readSparsePackage(await readFile(path), path), name };
    return { model: await readModel(path, { workspace: workspaceFor(path, workspace) }), name };
  }
  const { folder } = await findRun(from, { workspace: resolve(workspace ?? '.') }).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.code !== 'run-missing') throw error;
    throw new UserError(
      'run-missing',
      `lc-prune export: there is no model file and no run "${from}"; see lc-prune runs`,
    );
  });
  const name = basename(folder).replace(/^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-/, '');
  return { model: await readResult(folder), name: `${name}-pruned` };
}

function printSizes({ reference, formats, left }: Sizes, terminal: Terminal): void {
  for (const size of formats) terminal.emit({ event: 'format', ...size });
  for (const one of left) terminal.emit({ event: 'format-left', ...one });
  const rows = formats.map((size) => [
    size.format,
    size.name,
    ...[size.bytes, size.gzip, size.brotli].map(bytes),
    `${size.ratio.toPrecision(3)}x`,
  ]);
  terminal.print(table(['format', 'what', 'bytes', 'gzip', 'brotli', 'smaller'], rows));
  terminal.print(`Compared with the reference's ${bytes(reference)} of dense float32 weights.`);
  for (const { format, reason } of left) terminal.print(`note: not as ${format}: ${reason}`);
}

function printSurvivors({ layers, inputs, weights, flops }: Thinned, terminal: Terminal): void {
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

export const exportCommand: Command = {
  name: 'export',
  positionals: 'RUN|MODEL',
  summary: 'write a pruned model in a format; without --format, the size of each',
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'tfjs-layers, onnx-thinned, sparse... (see the list without it)' },
    out: { type: 'string', value: 'FILE', help: 'where to (default: the name of the run or model, here)' },
  },
  async run({ positionals, values, terminal }) {
    const workspace = stringOption(values, 'workspace');
    const id = stringOption(values, 'format');
    const format = id === undefined ? null : findFormat(id);
    const out = stringOption(values, 'out');
    if (!format && out !== undefined)
      throw new UserError('usage', 'lc-prune export: --out needs --format FORMAT; run it without both to see the list');
    const { model, name } = await readSource(positionals[0]!, workspace);
    if (!format) {
      printSizes(await measureModel(model), terminal);
      printSurvivors(thin(model), terminal);
      return 0;
    }
    const wanted = resolve(out ?? `${name}-${format.id}${format.extension}`);
    const target = await resolveInside(workspaceFor(wanted, workspace), dirname(wanted), wanted);
    if (target === model.path)
      throw new UserError('usage', `lc-prune export: ${target} is the model itself; choose another --out`);
    const written = await exportModel(model, format, target);
    terminal.emit({ event: 'exported', format: format.id, ...written });
    terminal.print(`${written.path}: ${format.name}, ${count(written.bytes)} bytes`);
    return 0;
  },
};
