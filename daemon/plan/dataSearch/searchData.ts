/** Finds data that a model could be trained on: files and folders of the workspace that fit it, and built-in sets that do. */
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { missingPackages } from '../../data/builtin/builtinPackages.js';
import { OWN_PACKAGES } from '../../data/builtin/packageFolder.js';
import type { Model } from '../../model/model.js';
import { trainingSetup } from '../../model/setup/trainingSetup.js';
import type { DataCandidate, FoundData } from '../../protocol/dataChoice.js';
import type { DataSource } from '../../protocol/plan.js';
import { planPath } from '../planText.js';
import { builtinSets } from './builtinSets.js';
import { judgeData, testFileOf } from './judgeData.js';
import { walkForData, type Found } from './walkForData.js';
import { LIMITS } from '../limits.js';

export interface SearchOptions {
  /** Real path; nothing outside it is read. */
  readonly workspace: string;
  /** The folder that is searched, in the workspace. Default: all of it, the model's own folder first. */
  readonly folder?: string;
  /** The plan's folder, which the paths are relative to. Default: the model's. */
  readonly planFolder?: string;
  /** The output to train, if it is not the last one. */
  readonly output?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Number of steps from one folder to another. */
const distance = (from: string, to: string): number => {
  const way = relative(from, to);
  return way === '' ? 0 : way.split(sep).length;
};

/** Names of data that a model is less likely trained on. */
const TEST_NAME = /(^|[-_. ])(test|val|valid|validation|predictions?|submission|sample)([-_. ]|$)/i;

interface Fitting extends DataCandidate {
  readonly path: string;
  readonly samples: number;
}

/** Nearest to the model first; then files for training before those for tests, files that share the model's name, and those with most samples. */
function byLikelihood(modelPath: string): (a: Fitting, b: Fitting) => number {
  const folder = dirname(modelPath);
  const stem = basename(modelPath, extname(modelPath)).toLowerCase();
  const key = ({ path, samples }: Fitting): number[] => {
    const name = basename(path).toLowerCase();
    return [
      distance(folder, dirname(path)),
      Number(TEST_NAME.test(basename(path, extname(path)))),
      Number(!name.startsWith(stem)),
      -samples,
    ];
  };
  return (a, b) => {
    const [one, other] = [key(a), key(b)];
    const at = one.findIndex((value, i) => value !== other[i]);
    return at < 0 ? (a.path < b.path ? -1 : 1) : one[at]! - other[at]!;
  };
}

/** Everything found under the folders, nearest to the model first, each once. */
async function look(model: Model, { workspace, folder, signal }: SearchOptions) {
  const own = dirname(model.path);
  const folders = folder === undefined ? [...new Set([own, workspace])] : [folder];
  const found = new Map<string, Found>();
  let stopped: string | null = null;
  for (const each of folders) {
    const walk = await walkForData(each, workspace, signal ? { signal } : {});
    for (const one of walk.found) found.set(one.path, one);
    stopped ??= walk.stopped;
  }
  const nearest = [...found.values()].sort(
    (a, b) => distance(own, dirname(a.path)) - distance(own, dirname(b.path)) || (a.path < b.path ? -1 : 1),
  );
  return { found: nearest, stopped };
}

/**
 * Finds data for a model, and opens it to decide whether it fits. Programs (JavaScript modules) are never opened.
 * @throws UserError('plan-invalid'
 * 'model-unsupported') as `trainingSetup` does; the signal's reason when it is cancelled.
 */
export async function searchData(model: Model, options: SearchOptions): Promise<FoundData> {
  const { workspace, signal, planFolder = dirname(model.path) } = options;
  const setup = trainingSetup(model, options.output);
  const { found, stopped } = await look(model, options);
  signal?.throwIfAborted();
  const end = performance.now() + LIMITS.searchTime;
  const files = new Set(found.filter(({ kind }) => kind === 'file').map(({ path }) => path));
  const fitting: Fitting[] = [];
  const others: { name: string; why: string }[] = [];
  const tested = new Set<string>();
  const nameOf = (path: string) => relative(workspace, path).split(sep).join('/') || '.';
  let cut = stopped;
  for (const [i, { path, kind }] of found.entries()) {
    if (i >= LIMITS.searchOpened || performance.now() > end) {
      cut ??=
        i >= LIMITS.searchOpened ? `only the ${LIMITS.searchOpened} nearest were opened` : 'opening them took too long';
      break;
    }
    const test = kind === 'file' ? testFileOf(path, files) : null;
    const written = (file: string) => planPath(planFolder, file);
    const both = test === null ? null : await judgeData(setup, { source: path, test }, workspace);
    signal?.throwIfAborted();
    const judged = both?.fits ? both : await judgeData(setup, path, workspace);
    signal?.throwIfAborted();
    if (!judged.fits) {
      others.push({ name: nameOf(path), why: judged.why });
      continue;
    }
    const data: DataSource = both?.fits ? { source: written(path), test: written(test!) } : written(path);
    if (both?.fits) tested.add(test!);
    const { about, samples, packages } = judged;
    fitting.push({ data, name: nameOf(path), kind, about, packages: [...packages], path, samples });
  }
  const own = fitting.filter(({ path }) => !tested.has(path)).sort(byLikelihood(model.path));
  const builtin = builtinSets(setup).map(
    ({ name, about }): DataCandidate => ({ data: name, name, kind: 'builtin', about, packages: missingPackages(name, workspace) }), // prettier-ignore
  );
  return {
    candidates: [...own.map(({ path: _path, samples: _samples, ...candidate }) => candidate), ...builtin],
    others: others.slice(0, LIMITS.searchOthers),
    stopped: cut,
    packagesFolder: join(workspace, OWN_PACKAGES),
  };
}
