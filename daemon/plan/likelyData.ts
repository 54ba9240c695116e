/** The data that a new plan begins with: what fits the model. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { openDataset } from '../data/openDataset.js';
import type { Model } from '../model/model.js';
import { setupByData } from '../model/setupByData.js';
import { trainingSetup, type TrainingSetup } from '../model/trainingSetup.js';
import { UserError } from '../protocol/errors.js';
import { builtinDataFor } from './builtinData.js';
import { resolveData } from './resolveData.js';

const DATA = /\.((csv|tsv)(\.gz)?|npz|npy|parquet)$/i;
/** Larger files are named, and not tried. */
const MAX_BYTES = 512 << 20;
const MAX_TRIED = 16;

/** Why the data does not fit the model, in one line; null where it does. */
async function misfit(setup: TrainingSetup, name: string, folder: string): Promise<string | null> {
  if ((await stat(join(folder, name))).size > MAX_BYTES) return 'it is too large to try';
  try {
    const { opened } = await setupByData(setup, (requirements) =>
      openDataset(
        resolveData(name, () => join(folder, name)),
        requirements,
        { workspace: folder, seed: 0 },
      ),
    );
    opened.close();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/**
 * What `data` of a new plan for this model is: a built-in data set that fits it, else the one data file beside it that does.
 *
 * @returns a built-in name, or a file's name, relative to the model's folder.
 * @throws UserError('usage') where none fits, or several do, naming them.
 */
export async function likelyData(model: Model): Promise<string> {
  const setup = trainingSetup(model);
  const builtin = builtinDataFor(setup);
  if (builtin) return builtin;
  const folder = dirname(model.path);
  const names = (await readdir(folder)).filter((name) => DATA.test(name)).sort();
  const fitting: string[] = [];
  let reason: string | null = null;
  for (const name of names.slice(0, MAX_TRIED)) {
    const problem = await misfit(setup, name, folder);
    if (problem === null) fitting.push(name);
    else reason ??= problem;
  }
  if (fitting.length === 1) return fitting[0]!;
  const quoted = (list: readonly string[]) => list.map((name) => `"${name}"`).join(', ');
  const shape = setup.inputShapes.map((axes) => `[${axes.map((n) => n ?? 'any').join(', ')}]`).join(' and ');
  const stem = basename(model.path, extname(model.path));
  const problem =
    fitting.length > 1
      ? `several data files beside it fit: ${quoted(fitting)}; choose one with --data`
      : names.length > 0
        ? `none of the data files beside it fits its input ${shape}: ${quoted(names)} (${reason}); name the data with --data`
        : `no built-in data set fits its input ${shape} and output [${setup.outputShape.join(', ')}], and no data lies beside it; name the data with --data`;
  throw new UserError('usage', `${stem}: ${problem}`, { file: model.path, field: 'data' });
}
