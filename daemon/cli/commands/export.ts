import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { checkEnding, exportModel, findFormat, formatOfFile } from '../../export/exportModel.js';
import { readSparsePackage } from '../../export/sparse/readSparsePackage.js';
import { readScaleFile } from '../../export/scaleFile.js';
import type { InputScale } from '../../model/setup/inputScale.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/files/readModel.js';
import { resolveInside } from '../../files/workspacePath.js';
import { workspaceFor } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { MeasuredExports } from '../../protocol/exports.js';
import { findRun } from '../../runs/list/registry.js';
import { readExports } from '../../runs/results/kept.js';
import { readReference, readRunModel, readRunScales } from '../../runs/runModels.js';
import { integerOption, namedFile, stringOption, type Command, type Values } from '../command.js';
import { measureExport, printExport } from '../exportView.js';
import { count } from '../text.js';

interface Source {
  readonly model: Model;
  /** Base name of its exports. */
  readonly name: string;
  readonly scales: readonly InputScale[];
  /** The reference that the run started from, if it still exists. */
  readonly reference: Model | null;
  /** Errors of a run's files, measured when it ended; null: of a model file, a point of a path, or a run of before. */
  readonly measured: MeasuredExports | null;
}

/** A model file, or the result of a run (its folder or its name). */
async function readSource(from: string, values: Values, point: number | undefined): Promise<Source> {
  if ((await stat(from).catch(() => null))?.isFile()) {
    if (point !== undefined)
      throw new UserError('usage', 'lc-prune export: --point is for a path run; give its name instead of a model file');
    const { file, workspace } = await namedFile(from, values);
    const scales = await readScaleFile(file);
    const stem = basename(file, extname(file));
    // TensorFlow.js names every model "model"; its folder's name says more.
    const name = stem === 'model' ? basename(dirname(file)) : stem;
    if (file.endsWith('.lcp'))
      return { model: readSparsePackage(await readFile(file), file), name, scales, reference: null, measured: null };
    return { model: await readModel(file, { workspace }), name, scales, reference: null, measured: null };
  }
  const workspace = stringOption(values, 'workspace');
  const found = await findRun(from, { workspace: resolve(workspace ?? '.') }).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.code !== 'run-missing') throw error;
    throw new UserError(
      'run-missing',
      `lc-prune export: there is no model file and no run "${from}"; see lc-prune runs`,
    );
  });
  const name = basename(found.folder).replace(/^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-/, '');
  return {
    model: await readRunModel(found.folder, point),
    name: point === undefined ? `${name}-pruned` : `${name}-point-${point}`,
    scales: await readRunScales(found.folder, point),
    reference: await readReference(found.folder, found.workspace),
    measured: point === undefined ? await readExports(found.folder) : null,
  };
}

export const exportCommand: Command = {
  name: 'export',
  positionals: 'RUN|MODEL',
  summary: 'write a pruned model in a format; without --format, the size and error of each, and its speed here',
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'tfjs-layers, onnx-thinned, sparse... (see the list without it)' },
    out: {
      type: 'string',
      value: 'FILE',
      help: 'where to; without --format its ending says the format (default: the name of the run or model, here)',
    },
    'with-scale': { type: 'boolean', help: 'the scale of the inputs becomes the first layer: for data as stored' },
    point: { type: 'string', value: 'N', help: 'of a path run: this point of its curve (default: its result)' },
  },
  async run({ positionals, values, terminal }) {
    const workspace = stringOption(values, 'workspace');
    const id = stringOption(values, 'format');
    const out = stringOption(values, 'out');
    const format = id === undefined ? (out === undefined ? null : formatOfFile(out, 'all')) : findFormat(id);
    if (format && out !== undefined) checkEnding(out, format);
    const point = integerOption(values, 'point', 0, 1e6);
    const { model, name, scales, reference, measured } = await readSource(positionals[0]!, values, point);
    if (!format) {
      printExport({ ...(await measureExport(model, reference, terminal)), measured }, terminal);
      return 0;
    }
    const wanted = resolve(out ?? `${name}-${format.id}${format.extension}`);
    const target = await resolveInside(workspaceFor(wanted, workspace), dirname(wanted), wanted);
    if (target === model.path)
      throw new UserError('usage', `lc-prune export: ${target} is the model itself; choose another --out`);
    const inside = values['with-scale'] === true;
    if (inside && scales.length === 0)
      terminal.note(
        `note: the inputs of ${name} are taken as stored, as far as is known: there is no scale to put inside`,
      );
    const written = await exportModel(model, format, target, { scales, inside });
    terminal.emit({ event: 'exported', format: format.id, ...written });
    terminal.print(`${written.path}: ${format.name}, ${count(written.bytes)} bytes`);
    if (written.scaleFile !== undefined)
      terminal.note(
        `note: its inputs are not as stored (${[...new Set(scales.map(({ read }) => read))].join('; ')}): ${basename(written.scaleFile)} beside it says how, or --with-scale puts it inside`,
      );
    return 0;
  },
};
