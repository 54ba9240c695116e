/** .npy data of a plan: a file of inputs and a file of labels. */
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256, type ArrayFile } from './arrayFile.js';
import { invalidData } from '../dataError.js';
import { statedByInput } from '../inputs/inputNames.js';
import { readNpy } from './npy.js';
import { parseNpyText } from './npyText.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset } from '../rawDataset.js';
import { readSource, statSource, type SourceFile } from './sourceFile.js';
import { type LabelArray, arraysToPart, numberLabels } from './labelArrays.js';

async function labelFile(file: SourceFile, memoryLimit: number): Promise<LabelArray> {
  const texts = (await statSource(file)).bytes <= memoryLimit ? parseNpyText(file.name, await readSource(file)) : null;
  if (texts) return { ...texts, name: file.name, targets: () => texts.targets };
  return numberLabels(await readNpy(file, memoryLimit));
}

/**
 * .npy data of a plan: the source holds the inputs, `labels` a second file with the labels (default: the file beside it
 * whose name says "y" or "labels" instead; none if the plan reads no labels). `inputs` may list one file per input of the model.
 */
export async function readNpySource(context: ReadContext): Promise<RawDataset> {
  const { source, test, config, options } = context;
  const paths = statedByInput(source.name, config.inputs, context.requirements)?.flat() ?? config.inputs;
  const files = paths ? await Promise.all((paths as readonly string[]).map((path) => context.resolve(path))) : [source];
  const wanted = config.labels !== false;
  const stated = config.labels ? config.labels[0] : undefined;
  const beside = (file: SourceFile) => (wanted ? labelsBeside(file, context.resolve) : null);
  const labels = stated === undefined ? await beside(source) : await context.resolve(stated);
  const read = async (inputs: readonly SourceFile[], targets: SourceFile | null) => {
    const arrays: ArrayFile[] = [];
    for (const file of inputs) arrays.push(await readNpy(file, options.memoryLimit));
    return arraysToPart(inputs[0]!.name, arrays, targets && (await labelFile(targets, options.memoryLimit)));
  };
  const train = await read(files, labels);
  const tested = test && (await read([test], await beside(test)));
  return {
    title: `NumPy arrays of ${source.name}`,
    train: train.part,
    ...(tested && { test: tested.part }),
    hash: sha256(train.hash, tested?.hash ?? ''),
    notes: stated === undefined && labels ? [`Labels are read from ${labels.name}.`] : [],
  };
}

async function labelsBeside(inputs: SourceFile, resolve: ReadContext['resolve']): Promise<SourceFile> {
  const folder = dirname(inputs.path);
  const own = basename(inputs.path);
  const candidates = [
    own.replace(/^x/i, (x) => (x === 'x' ? 'y' : 'Y')),
    own.replace(/([_-])x(?=[_.-])/i, '$1y'),
    own.replace(/images|inputs|features|data/i, 'labels'),
    own.replace(/images|inputs|features|data/i, 'targets'),
  ];
  for (const candidate of candidates) {
    if (candidate === own) continue;
    const path = join(folder, candidate);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    ) {
      return resolve(path, inputs.name.slice(0, inputs.name.length - own.length) + candidate);
    }
  }
  throw invalidData(
    inputs.name,
    'a .npy file holds one array: name the file with the labels in "data.labels"',
    'labels',
  );
}
