/** A network, its weights and one batch as files that every contender reads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NetworkName, type Sizes, sizesOf, trainingOf } from './networks.js';

export interface TransformerProblem extends Sizes {
  readonly name: NetworkName;
  readonly learningRate: number;
  /** Weights in the order of the file, float32. */
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly weightsFile: string;
  readonly dataFile: string;
  readonly targetFile: string;
  readonly flops: number;
}

/** @param batch by default the network's own. */
export function writeTransformer(name: NetworkName, folder: string, batch = sizesOf[name].batch): TransformerProblem {
  const sizes = { ...sizesOf[name], batch };
  const { weights, data, target, flops } = trainingOf(sizes);
  const write = (file: string, parts: readonly Float32Array[]) => {
    writeFileSync(join(folder, file), Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)))); // prettier-ignore
    return join(folder, file);
  };
  return {
    ...sizes,
    name,
    // Small: the first losses are compared.
    learningRate: 1e-3,
    weights: weights.map(({ name, shape }) => ({ name, shape })),
    weightsFile: write(`${name}.weights`, weights.map(({ values }) => values)), // prettier-ignore
    dataFile: write(`${name}.data`, [data]),
    targetFile: write(`${name}.target`, [target]),
    flops,
  };
}
