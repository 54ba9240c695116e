import type { Dataset } from './dataset.js';
import { sizeOf } from './sampleStore.js';

/** One sample as the model sees it: preprocessed values, and what it should answer. */
export interface PreviewSample {
  /** Position in the training part. */
  readonly index: number;
  /** The first input's values, flat, in the order of `shape`. */
  readonly values: number[];
  /** Class name, or the target's numbers. */
  readonly label: string;
}

export interface Preview {
  readonly description: string;
  readonly notes: readonly string[];
  /** Shape of the first input. */
  readonly shape: readonly number[];
  /** [height, width, channels] where the input can be drawn; a flat square of 28 x 28 and the like counts. */
  readonly image: readonly [number, number, number] | null;
  /** Range of `values` over the samples, for the grey scale. */
  readonly minimum: number;
  readonly maximum: number;
  readonly samples: readonly PreviewSample[];
}

/** The first `count` training samples with labels, for a grid. */
export async function previewSamples(dataset: Dataset, count: number): Promise<Preview> {
  const n = Math.min(count, dataset.train.size);
  const shape = dataset.inputShapes[0]!;
  const width = sizeOf(shape);
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
  const values = inputs[0]!;
  const samples = Array.from({ length: n }, (_, index) => ({
    index,
    values: [...values.subarray(index * width, (index + 1) * width)],
    label: labelText(dataset, target.subarray(index * targetWidth, (index + 1) * targetWidth)),
  }));
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const value of values) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return {
    description: dataset.description,
    notes: dataset.notes,
    shape,
    image: imageShape(shape),
    minimum: n > 0 ? minimum : 0,
    maximum: n > 0 ? maximum : 0,
    samples,
  };
}

function labelText({ classes }: Dataset, target: Float32Array): string {
  if (!classes) return [...target].map((t) => String(Number(t.toPrecision(6)))).join(', ');
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
function imageShape(shape: readonly number[]): readonly [number, number, number] | null {
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
