/** Decides whether data fits a model, by opening it as a run would. */
import { stat } from 'node:fs/promises';
import { extname, relative, sep } from 'node:path';
import { describeData } from '../../data/describeData.js';
import { openDataset } from '../../data/openDataset.js';
import { setupByData } from '../../model/setup/setupByData.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';
import type { DataPackage } from '../../protocol/dataPackages.js';
import { UserError } from '../../protocol/errors.js';
import type { DataSource } from '../../protocol/plan.js';
import { resolveData } from '../resolveData.js';
import { LIMITS } from '../limits.js';

/** Images that are decoded to see whether the others fit. */
const IMAGES = 32;

export type Judgement =
  | { readonly fits: true; readonly about: string; readonly samples: number; readonly packages: readonly DataPackage[] }
  | { readonly fits: false; readonly why: string };

/**
 * @param data with absolute paths. @param workspace the folder that no path may leave.
 * @returns a description if it fits; else the reason, in one line.
 */
export async function judgeData(setup: TrainingSetup, data: DataSource, workspace: string): Promise<Judgement> {
  const resolved = resolveData(data, (path) => path);
  const { size } = await stat(resolved.source).catch(() => ({ size: 0 }));
  if (size > LIMITS.searchedFile)
    return { fits: false, why: `it has ${Math.round(size / 2 ** 20)} MB, and is opened only where it is named` };
  try {
    const { opened } = await setupByData(setup, (requirements) =>
      openDataset(resolved, requirements, { workspace, seed: 0, sample: IMAGES }),
    );
    opened.close();
    const { train, test } = opened.available;
    return { fits: true, about: describeData(opened), samples: train + (test ?? 0), packages: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.details.hint === 'npm install sharp' && takesImages(setup))
      return {
        fits: true,
        about: 'folders of images, which the package sharp reads: not looked into yet',
        samples: 0,
        packages: ['sharp'],
      };
    // The list already names the file.
    const { message } = error;
    const name = relative(workspace, resolved.source).split(sep).join('/');
    return { fits: false, why: message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message };
  }
}

/** Rows, columns and channels of the model's one input. */
const takesImages = ({ inputShapes }: TrainingSetup): boolean =>
  inputShapes.length === 1 && inputShapes[0]!.length === 3 && [1, 3, null].includes(inputShapes[0]![2]!);

/** Pairs a file with "train" in its name with the one beside it that has "test" instead. */
export function testFileOf(path: string, others: ReadonlySet<string>): string | null {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  const name = path.slice(cut);
  if (!/train/i.test(name) || extname(name) === '') return null;
  const same = (word: string) => (match: string) =>
    match === match.toUpperCase()
      ? word.toUpperCase()
      : match[0] === 'T'
        ? word[0]!.toUpperCase() + word.slice(1)
        : word;
  const candidates = ['test', 'val', 'validation'].map(
    (word) => path.slice(0, cut) + name.replace(/train(ing)?/i, same(word)),
  );
  return candidates.find((candidate) => others.has(candidate)) ?? null;
}
