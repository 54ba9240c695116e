import { UserError } from '../../protocol/errors.js';
import type { OnnxModel, OnnxValue } from '../file/onnxModel.js';
import { dtypeOf } from './operators/constants.js';

/** Finds the sizes of a model's inputs. One axis is the batch: an open one, or one that stands for it. */

export interface InputSizes {
  /** The file's shapes, without the first axis unless `whole`. */
  readonly shapes: readonly (readonly number[])[];
  /** The batch of the file's export; undefined if it is open. */
  readonly fileBatch: number | undefined;
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));

/** The dimensions for a message: [batch, 3, height, width]. */
const written = ({ dims }: OnnxValue): string => `[${dims?.map((dim) => dim ?? '?').join(', ')}]`;

function checked(path: string, value: OnnxValue): readonly (number | string | null)[] {
  const { name, type, dims } = value;
  if (dtypeOf(type) === undefined || dims === null)
    throw new UserError('model-unsupported', `${path}: its input ${quoted(name)} is ${type === 'string' ? 'text' : 'no tensor of a known rank'}; export the model from the first tensor of numbers on, with the shapes of its inputs`, { file: path }); // prettier-ignore
  return dims;
}

/**
 * @param sizes of open dimensions, by their names in the file
 * @param whole every axis belongs to the model, and none is a batch
 * @throws UserError('model-unsupported') naming the input and the dimension
 */
export function inputSizes(
  model: OnnxModel,
  path: string,
  sizes: ReadonlyMap<string, number>,
  whole: boolean,
): InputSizes {
  if (model.graph.inputs.length === 0)
    throw new UserError('model-unsupported', `${path}: it has no inputs: everything that it computes is known; export a model that reads data`, { file: path }); // prettier-ignore
  const batches = new Set<number | undefined>();
  const shapes = model.graph.inputs.map((value) => {
    const dims = checked(path, value);
    const fixed = (dim: number | string | null): number => {
      const size = typeof dim === 'string' ? sizes.get(dim) : (dim ?? undefined);
      if (size !== undefined && size > 0) return size;
      throw new UserError('model-unsupported', `${path}: its input ${quoted(value.name)} has no fixed size: ${written(value)}; export it with fixed sizes, of which only the first axis, the batch, may be open`, { file: path }); // prettier-ignore
    };
    if (whole) return dims.map(fixed);
    const [first, ...rest] = dims;
    if (first === undefined) throw new UserError('model-unsupported', `${path}: its input ${quoted(value.name)} is one number, without an axis of samples; make it a constant of the model`, { file: path }); // prettier-ignore
    batches.add(typeof first === 'number' && first > 0 ? first : undefined);
    return rest.map(fixed);
  });
  const known = [...batches].filter((n) => n !== undefined);
  if (known.length > 1)
    throw new UserError('model-unsupported', `${path}: the first axes of its inputs, ${model.graph.inputs.map((value) => `${quoted(value.name)} ${written(value)}`).join(', ')}, must all be the samples of a batch`, { file: path }); // prettier-ignore
  return { shapes, fileBatch: whole || batches.has(undefined) ? undefined : known[0] };
}
