/** Describes a data set in one line, for a user who chooses one. */
import { countText, listText, shapeText } from './dataError.js';
import type { Dataset } from './dataset.js';
import { sizeOf } from '../protocol/shape.js';

type Described = Pick<Dataset, 'available' | 'inputShapes' | 'targetShape' | 'unlabelled' | 'classes' | 'fields'>;

const plural = (n: number, one: string, many: string): string => `${countText(n)} ${n === 1 ? one : many}`;

/** "150 rows", "60,000 + 10,000 images". */
function countOf({ available, fields, inputShapes }: Described): string {
  const { train, test } = available;
  const images = fields?.kind === 'folders' || (fields === undefined && inputShapes[0]!.length > 1);
  const [one, many] =
    fields?.kind === 'columns' ? ['row', 'rows'] : images ? ['image', 'images'] : ['sample', 'samples'];
  return test === null ? plural(train, one, many) : `${countText(train)} + ${countText(test)} ${many}`;
}

/** "4 inputs", "inputs of 28 x 28 x 1". */
function inputsOf({ inputShapes, fields }: Described): string {
  const named = fields?.kind === 'columns' ? fields.inputs.flat().length : 0;
  const numbers = inputShapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  if (named > 0 && named === numbers) return plural(named, 'input', 'inputs');
  if (inputShapes.every((shape) => shape.length === 1)) return plural(numbers, 'input', 'inputs');
  return `inputs of ${inputShapes.map((shape) => shapeText(shape)).join(' and ')}`;
}

/** 'label "species" (3 classes)', 'targets "x", "y"', "2 classes". */
function labelsOf({ classes, targetShape, fields }: Described): string {
  const names = fields && fields.labels.length > 0 ? ` ${listText(fields.labels, 3)}` : '';
  if (classes) {
    const counted = plural(classes.length, 'class', 'classes');
    return fields?.kind === 'folders' || names === ''
      ? `${counted}: ${listText(classes, 3)}`
      : `label${names} (${counted})`;
  }
  const values = sizeOf(targetShape);
  return names === '' ? plural(values, 'target', 'targets') : `${values === 1 ? 'target' : 'targets'}${names}`;
}

/** "150 rows, 4 inputs + label \"species\" (3 classes)"; "150 rows, 4 inputs, no labels". */
export const describeData = (data: Described): string =>
  `${countOf(data)}, ${inputsOf(data)}${data.unlabelled ? ', no labels' : ` + ${labelsOf(data)}`}`;
