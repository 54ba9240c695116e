import { pathToFileURL } from 'node:url';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { refuseNonFinite, sha256, wholeNumbers } from './arrayFile.js';
import { invalidData, shapeText } from '../dataError.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import { RowSink } from './rowSink.js';
import { identityIndices } from '../batches/sampleStore.js';
import { readSource } from './sourceFile.js';

/** The samples that a data module yields: one flat or nested array per input, and their targets. */
interface Batch {
  inputs: unknown;
  targets: unknown;
}

/**
 * A JavaScript module of the user. It exports `train()`, and optionally `test()`: generators (or async generators, or functions that return an array)
 * of `{ inputs, targets }`. `inputs` holds whole samples of the model's input, as nested arrays or one flat typed array (a list of those, one per
 * input, for a model of several); `targets` one class number per sample, or the values of the model's output; none are needed if no labels are read.
 * @throws UserError('data-invalid') when the workspace is not trusted, because a module is code that runs.
 */
export async function readModuleSource(context: ReadContext): Promise<RawDataset> {
  const { source, options } = context;
  if (options.trusted !== true)
    throw invalidData(
      source.name,
      'a JavaScript data module runs code, and this workspace is not trusted: trust it, or use a data file',
      'source',
    );
  const text = await readSource(source);
  const exports = await loadModule(source.path, source.name);
  const train = await readPart(exports['train'], 'train', context);
  if (!train)
    throw invalidData(source.name, 'the module must export a function "train" that yields { inputs, targets }');
  const test = await readPart(exports['test'], 'test', context);
  return {
    title: `Module ${source.name}`,
    train: train.part,
    ...(test && { test: test.part }),
    hash: sha256(text, train.hash, test?.hash ?? ''),
    notes: [],
  };
}

async function loadModule(path: string, name: string): Promise<Record<string, unknown>> {
  try {
    const loaded = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    const fallback = loaded['default'];
    return typeof fallback === 'object' && fallback !== null ? { ...fallback, ...loaded } : loaded;
  } catch (error) {
    throw invalidData(name, `the module does not load (${firstLine(error)})`);
  }
}

async function readPart(
  generate: unknown,
  part: 'train' | 'test',
  context: ReadContext,
): Promise<{ part: RawPart; hash: string } | null> {
  if (generate === undefined) return null;
  const { source, requirements, options } = context;
  const name = `${source.name}, ${part}()`;
  if (typeof generate !== 'function')
    throw invalidData(source.name, `"${part}" must be a function that yields { inputs, targets }`);
  const shapes = requirements.inputShapes.map((shape) => {
    if (shape.every((n) => n !== null)) return shape as readonly number[];
    throw invalidData(name, `the model's input is ${shapeText(shape)}: a module needs a model with fixed input sizes`);
  });
  const inputs = shapes.map((shape) => new RowSink(name, shape, 'f4', options.memoryLimit));
  const unlabelled = context.config.labels === false;
  let targets: RowSink | null = null;
  let width = 0;
  const hashes: string[] = [];
  try {
    const batches = (await (generate as () => unknown)()) as AsyncIterable<Batch> | Iterable<Batch>;
    for await (const batch of batches) {
      const arrays = batchInputs(batch, shapes.length, name, unlabelled);
      let samples = -1;
      arrays.forEach((array, i) => {
        const values = flatten(array, name, 'inputs');
        const size = sizeOf(shapes[i]!);
        if (values.length % size !== 0 || (samples >= 0 && values.length / size !== samples))
          throw invalidData(
            name,
            `a batch holds ${values.length} input values, which are not whole samples of ${shapeText(shapes[i]!)}`,
          );
        samples = values.length / size;
        refuseNonFinite(name, values, inputs[i]!.rows, size);
        for (let k = 0; k < samples; k++) inputs[i]!.append(values.subarray(k * size, (k + 1) * size));
        hashes.push(sha256(new Uint8Array(values.buffer)));
      });
      if (unlabelled) continue;
      const values = flatten(batch.targets, name, 'targets');
      if (samples === 0 && values.length === 0) continue;
      const perSample = values.length / samples;
      if (!Number.isInteger(perSample) || perSample === 0 || (targets && perSample !== width))
        throw invalidData(name, `a batch has ${samples} samples but ${values.length} target values`);
      refuseNonFinite(name, values, inputs[0]!.rows - samples, perSample);
      width = perSample;
      targets ??= new RowSink(name, [width], 'f4', options.memoryLimit);
      for (let k = 0; k < samples; k++) targets.append(values.subarray(k * width, (k + 1) * width));
      hashes.push(sha256(new Uint8Array(values.buffer)));
    }
  } catch (error) {
    for (const sink of [...inputs, targets]) sink?.discard();
    if (error instanceof UserError) throw error;
    throw invalidData(name, `the module failed (${firstLine(error)})`);
  }
  if (inputs[0]!.rows === 0 || (!targets && !unlabelled)) throw invalidData(name, 'the module yields no samples');
  return {
    part: {
      name,
      inputs: inputs.map((sink) => sink.finish()),
      targets: targets ? await moduleTargets(targets, width, name) : { kind: 'none', where: name },
    },
    hash: sha256(...hashes),
  };
}

async function moduleTargets(sink: RowSink, width: number, where: string): Promise<RawPart['targets']> {
  const store = sink.finish();
  if (width !== 1 || !store.resident) return { kind: 'values', store, where };
  const values = new Float32Array(store.size);
  await store.gather(identityIndices(store.size), 0, store.size, values);
  if (!values.every(Number.isInteger)) return { kind: 'values', store, where };
  return { kind: 'labels', labels: wholeNumbers(values), positions: 1, where };
}

function batchInputs(batch: Batch, count: number, name: string, unlabelled: boolean): unknown[] {
  if (typeof batch !== 'object' || batch === null || !('inputs' in batch) || !(unlabelled || 'targets' in batch))
    throw invalidData(name, `every batch must be an object ${unlabelled ? '{ inputs }' : '{ inputs, targets }'}`);
  if (count === 1) return [batch.inputs];
  if (Array.isArray(batch.inputs) && batch.inputs.length === count) return batch.inputs as unknown[];
  throw invalidData(name, `the model has ${count} inputs: "inputs" must be a list of ${count} arrays`);
}

/** Numbers of nested arrays and typed arrays, in order. */
function flatten(value: unknown, name: string, field: string): Float32Array {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Float32Array.from(value as unknown as ArrayLike<number>);
  const out: number[] = [];
  const visit = (item: unknown, depth: number): void => {
    if (typeof item === 'number' || typeof item === 'boolean') out.push(Number(item));
    else if (ArrayBuffer.isView(item) && !(item instanceof DataView))
      for (const n of item as unknown as Iterable<number>) out.push(Number(n));
    else if (Array.isArray(item) && depth < 16) for (const child of item) visit(child, depth + 1);
    else throw invalidData(name, `"${field}" must hold numbers only, in arrays`, field);
  };
  visit(value, 0);
  return Float32Array.from(out);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 200);
}
