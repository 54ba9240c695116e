/** .npz data of a plan, read into parts: inputs, labels of the trained output, and labels of the others. */
import { UserError } from '../../protocol/errors.js';
import { sha256 } from './arrayFile.js';
import { listText } from '../dataError.js';
import { testNames } from '../inputs/inputArrays.js';
import { NpzFile } from './npz.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart, RawTargets } from '../rawDataset.js';
import { type OtherLabels, TEST_INPUTS, TEST_LABELS, inputsOf, otherLabels, pickLabels } from './npzNames.js';
import { type LabelArray, arraysToPart, numberLabels, requireEqualCounts } from './labelArrays.js';

/** .npz data of a plan: the arrays named in it, else those of the usual names; x_test and y_test are the test part. */
export async function readNpzSource(context: ReadContext): Promise<RawDataset> {
  const { source, test, config, options } = context;
  const file = await NpzFile.read(source, options.memoryLimit);
  const { requirements } = context;
  const inputs = inputsOf(file, config, requirements);
  const labels = config.labels === false ? null : (config.labels?.[0] ?? pickLabels(file, inputs, requirements));
  const others: OtherLabels = labels === null ? new Map() : otherLabels(file, [...inputs, labels], requirements);
  const train = await part(file, inputs, labels, others);
  const tested = test
    ? await part(await NpzFile.read(test, options.memoryLimit), inputs, labels, others)
    : await testArrays(file, inputs, labels, others);
  return {
    title: `NumPy arrays of ${source.name}`,
    fields: { kind: 'arrays', names: file.keys, inputs: inputs.map((key) => [key]), labels: listOf(labels) },
    train: train.part,
    ...(tested && { test: tested.part }),
    hash: sha256(train.hash, tested?.hash ?? ''),
    notes: notesOf(inputs, labels, config),
  };
}

const listOf = (labels: string | null): string[] => (labels === null ? [] : [labels]);

function notesOf(inputs: readonly string[], labels: string | null, config: ReadContext['config']): string[] {
  if (labels === null) return config.inputs ? [] : [`Inputs are the array ${listText(inputs)}.`];
  if (labels === inputs[0] && !config.labels)
    return [
      `The file has no labels: the model, whose output is as large as its input, is to give the array "${labels}" back.`,
    ];
  return config.inputs && config.labels
    ? []
    : [`Inputs are the array ${listText(inputs)}, labels ${listText([labels])}.`];
}

async function testArrays(
  file: NpzFile,
  inputs: readonly string[],
  labels: string | null,
  others: OtherLabels,
): Promise<{ part: RawPart; hash: string } | null> {
  const testName = (key: string) => testNames(key).find((name) => file.keys.includes(name));
  const tested = inputs.map(testName);
  const testLabels = labels === null ? null : testName(labels);
  const otherTests = new Map(
    [...others].flatMap(([output, key]) => {
      const name = testName(key);
      return name === undefined ? [] : [[output, name] as const];
    }),
  );
  if (tested.every((key) => key !== undefined) && testLabels !== undefined)
    return part(file, tested, testLabels, otherTests);
  const usualInput = TEST_INPUTS.find((key) => file.keys.includes(key));
  const usualLabel = labels === null ? null : TEST_LABELS.find((key) => file.keys.includes(key));
  if (inputs.length !== 1 || usualInput === undefined || usualLabel === undefined) return null;
  return part(file, [usualInput], usualLabel, otherTests);
}

async function part(
  file: NpzFile,
  inputs: readonly string[],
  labels: string | null,
  others: OtherLabels,
): Promise<{ part: RawPart; hash: string }> {
  const arrays = inputs.map((key) => file.array(key));
  const own = await arraysToPart(file.name, arrays, labels === null ? null : labelArray(file, labels));
  const found = new Map<string, RawTargets | string>();
  const hashes: string[] = [];
  for (const [output, key] of others) {
    try {
      const array = labelArray(file, key);
      requireEqualCounts(arrays, array);
      found.set(output, await array.targets());
      hashes.push(array.hash);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.set(output, error.message);
    }
  }
  if (found.size === 0) return own;
  return { part: { ...own.part, others: found }, hash: sha256(own.hash, ...hashes) };
}

function labelArray(file: NpzFile, key: string): LabelArray {
  const texts = file.texts(key);
  return texts ? { ...texts, name: file.nameOf(key), targets: () => texts.targets } : numberLabels(file.array(key));
}
