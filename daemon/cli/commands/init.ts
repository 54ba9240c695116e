import { mkdir, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { BUILTIN_DATA, isBuiltinData } from '../../data/builtin.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/readModel.js';
import { summarizeModel } from '../../model/summarize.js';
import { byFile, frozenNote, isWhollyFrozen, prunableWeightsOf, trainedLayers } from '../../model/trainedLayers.js';
import { isInside, missingFolder, resolveInside } from '../../model/workspacePath.js';
import { usualKeep } from '../../plan/defaults.js';
import { likelyData } from '../../plan/likelyData.js';
import { planName, resolveText } from '../../plan/readPlan.js';
import { planPath, planText } from '../../plan/planText.js';
import { UserError } from '../../protocol/errors.js';
import { shellWord } from '../../protocol/shellWord.js';
import { namedFile, stringOption, type Command } from '../command.js';
import { DATA_NAMES, dataNames } from '../dataOptions.js';

/** The plan's data: what was named, relative to the current folder; else what fits the model. */
async function dataFor(model: Model, folder: string, named: string | undefined): Promise<string> {
  if (named === undefined) {
    const found = await likelyData(model);
    return isBuiltinData(found) ? found : planPath(folder, join(dirname(model.path), found));
  }
  if (isBuiltinData(named)) return named;
  const file = resolve(named);
  if (!(await stat(file).catch(() => null)))
    throw new UserError(
      'data-missing',
      `--data: "${named}" is no file or folder here, and no built-in data set (${BUILTIN_DATA.join(', ')})`,
      { file },
    );
  return planPath(folder, file);
}

/** The data, with the names of its arrays or columns where some are given. */
const withNames = (source: string, names: ReturnType<typeof dataNames>): string | object =>
  Object.keys(names).length === 0 ? source : { source, ...names };

/** Writes a file that is not there yet, and the folders above it, whole or not at all. @throws what `failure` makes of the system's error. */
async function writeNew(
  path: string,
  text: string,
  failure: (error: NodeJS.ErrnoException) => UserError,
): Promise<void> {
  const folder = await missingFolder(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    // "wx": never over a file that appeared meanwhile.
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (folder) await rm(folder, { force: true, recursive: true });
    throw failure(error as NodeJS.ErrnoException);
  }
}

export const init: Command = {
  name: 'init',
  positionals: 'MODEL',
  summary: 'write a plan file beside a model',
  options: {
    data: {
      type: 'string',
      value: 'DATA',
      help: 'built-in data set, or a path (default: the built-in set, or the one file beside the model, that fits it)',
    },
    ...DATA_NAMES,
    keep: {
      type: 'string',
      value: 'SHARE',
      help: 'share of the weights to keep (default: 1% to 30%, such that a thousand are left)',
    },
    out: { type: 'string', value: 'FILE', help: 'the plan file (default: MODEL.prune.json beside the model)' },
  },
  async run({ positionals, values, terminal }) {
    const { file: modelFile, workspace } = await namedFile(positionals[0]!, values);
    const model = await readModel(modelFile, { workspace });
    const wanted = resolve(
      stringOption(values, 'out') ??
        join(
          dirname(modelFile),
          `${planName(modelFile.slice(0, modelFile.length - extname(modelFile).length))}.prune.json`,
        ),
    );
    if (!/\.prune\.jsonc?$/.test(wanted))
      throw new UserError('usage', `--out: a plan file is called NAME.prune.json, not "${basename(wanted)}"`, { file: wanted }); // prettier-ignore
    const out = await resolveInside(workspace, dirname(wanted), wanted).catch((error: UserError) => {
      if (isInside(workspace, wanted)) throw error;
      throw new UserError(error.code, `--out: "${wanted}" is not in ${workspace}, where this command works; name a file there, or with --workspace DIR a folder that holds both`, { file: wanted }); // prettier-ignore
    });
    const shown = relative(process.cwd(), out);
    const exists = () => new UserError('usage', `${shown}: exists already; choose another with --out`, { file: out });
    if (await stat(out).catch(() => null)) throw exists();
    const layers = summarizeModel(model);
    const unfreeze = isWhollyFrozen(layers);
    const trained = unfreeze
      ? layers
      : trainedLayers(layers, byFile(layers)).filter((layer) => prunableWeightsOf(layer) > 0);
    const prunable = trained.reduce((total, layer) => total + layer.prunable, 0);
    const text = planText({
      model: planPath(dirname(out), modelFile),
      data: withNames(await dataFor(model, dirname(out), stringOption(values, 'data')), dataNames(values)),
      budget: { keep: stringOption(values, 'keep') ?? usualKeep(prunable) },
      ...(unfreeze && { unfreeze }),
    });
    // Whatever is wrong with it is said before anything is written.
    await resolveText(text, out, { workspace });
    await writeNew(out, text, (error) =>
      error.code === 'EEXIST'
        ? exists()
        : new UserError('disk', `${shown} was not written: ${error.message}`, { file: out }),
    );
    const frozen = frozenNote(layers);
    if (frozen !== null) terminal.note(unfreeze ? 'the file freezes every layer: the plan unfreezes them' : frozen);
    terminal.emit({ event: 'plan', path: out, prunable });
    terminal.print(`${shown}: next, lc-prune run ${shellWord(shown)}`);
    return 0;
  },
};
