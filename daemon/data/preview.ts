import type { Dataset } from './dataset.js';
import { sizeOf } from '../protocol/shape.js';
import { significant } from '../protocol/format.js';

/** One sample and its target. */
export interface PreviewSample {
  /** Position in the training part. */
  readonly index: number;
  /** Class name, or the target's numbers; empty if there are no labels. */
  readonly label: string;
}

/** The preprocessed values of one of the model's inputs. */
export interface InputPreview {
  readonly name: string;
  readonly shape: readonly number[];
  /** [height, width, channels] if the input can be drawn; a flat square of 28 x 28 and the like counts. */
  readonly image: readonly [number, number, number] | null;
  /** Range of `values` over the samples, for the grey scale. */
  readonly minimum: number;
  readonly maximum: number;
  /** The values of each sample, flat, in the order of `shape`. */
  readonly values: readonly Float32Array[];
}

export interface Preview {
  readonly description: string;
  readonly notes: readonly string[];
  /** In the model's order. */
  readonly inputs: readonly InputPreview[];
  readonly samples: readonly PreviewSample[];
}

/** The first `n` samples of a buffer. @param shape of one. */
export function inputPreview(name: string, shape: readonly number[], values: Float32Array, n: number): InputPreview {
  const width = sizeOf(shape);
  return {
    name,
    shape,
    image: imageShape(shape),
    minimum: n > 0 ? values.reduce((least, value) => Math.min(least, value), Infinity) : 0,
    maximum: n > 0 ? values.reduce((most, value) => Math.max(most, value), -Infinity) : 0,
    values: Array.from({ length: n }, (_, i) => values.subarray(i * width, (i + 1) * width)),
  };
}

/** The first `count` training samples with labels, for a grid. @param names of the model's inputs. */
export async function previewSamples(dataset: Dataset, count: number, names: readonly string[]): Promise<Preview> {
  const n = Math.min(count, dataset.train.size);
  const targetWidth = sizeOf(dataset.targetShape);
  const inputs = dataset.inputShapes.map((s) => new Float32Array(n * sizeOf(s)));
  const target = new Float32Array(n * targetWidth);
  await dataset.train.gather(
    Uint32Array.from({ length: n }, (_, i) => i),
    0,
    n,
    inputs,
    target,
  );
  const samples = Array.from({ length: n }, (_, index) => ({
    index,
    label: dataset.unlabelled
      ? ''
      : labelText(dataset, target.subarray(index * targetWidth, (index + 1) * targetWidth)),
  }));
  return {
    description: dataset.description,
    notes: dataset.notes,
    inputs: dataset.inputShapes.map((shape, i) => inputPreview(names[i] ?? `input ${i + 1}`, shape, inputs[i]!, n)),
    samples,
  };
}

/** A sample's target in words. */
export function labelText({ classes }: Pick<Dataset, 'classes'>, target: Float32Array): string {
  if (!classes) return [...target].map((t) => significant(t, 6)).join(', ');
  if (target.length === 1) return classes[Math.round(target[0]!)] ?? String(target[0]);
  if (target.length === classes.length) return classes[target.indexOf(Math.max(...target))] ?? '';
  const names: string[] = [];
  for (let at = 0; at < target.length; at += classes.length) {
    const position = target.subarray(at, at + classes.length);
    names.push(classes[position.indexOf(Math.max(...position))] ?? '');
  }
  return names.join(' ');
}

/** A grid of h x w with 1 or 3 channels; flat inputs are images when their size is a square, or three. */
export function imageShape(shape: readonly number[]): readonly [number, number, number] | null {
  const [height = 0, width = 0, channels = 1] = shape;
  if (shape.length === 2) return [height, width, 1];
  if (shape.length === 3) return channels === 1 || channels === 3 ? [height, width, channels] : null;
  if (shape.length !== 1 || height < 64) return null;
  for (const depth of [1, 3]) {
    const side = Math.round(Math.sqrt(height / depth));
    if (side * side * depth === height) return [side, side, depth];
  }
  return null;
}
