/** One batch of a network in PyTorch's float64, as test/zoo/gradients.py writes it beside the exported file. */
import { openSync, closeSync, readFileSync, readSync } from 'node:fs';
import { sizeOf } from '../../daemon/protocol/shape.js';

export interface Reference {
  readonly loss: number;
  /** The largest relative error of a gradient in PyTorch's own float32. */
  readonly torchFloat32: number;
  /** Of the file's inputs, in its order of axes. */
  readonly inputs: readonly Float64Array[];
  /** Class numbers, [batch, ...positions]. */
  readonly labels: Float64Array;
  readonly batch: number;
  /** By initializer, in the file's layout. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

export function readReference(onnxPath: string): Reference {
  const base = onnxPath.replace(/\.onnx$/, '');
  const header = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as { loss: number; torchFloat32: number; arrays: { name: string; shape: number[] }[] }; // prettier-ignore
  const file = openSync(`${base}.bin`, 'r');
  const arrays = header.arrays.map(({ name, shape }) => {
    const values = new Float64Array(sizeOf(shape));
    readSync(file, values);
    return [name, values] as const;
  });
  closeSync(file);
  const named = new Map(arrays);
  const starting = (prefix: string) =>
    arrays.flatMap(([name, values]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : []));
  return {
    loss: header.loss,
    torchFloat32: header.torchFloat32,
    inputs: starting('input').map(([, values]) => values),
    labels: named.get('labels')!,
    batch: header.arrays[0]!.shape[0]!,
    gradients: new Map(starting('gradient of ')),
  };
}
