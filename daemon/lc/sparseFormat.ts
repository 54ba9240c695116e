import type { MannerSpec, Values } from './budgets/values.js';
import { unitsOf, type LayerView } from './layerView.js';

type Quantize = Values['codebook'] | undefined;

/** Fixed-width sparse storage: the size when nothing is kept, and the increment per kept weight. */
export interface SparseFormat {
  readonly overheadBytes: number;
  /** Value and index of one kept weight. */
  readonly bitsPerWeight: number;
  /**
   * For a file with codes of variable length: its size with these kernels, concatenated in the layers' order. It is at most the fixed-width size, and
   * does not grow when a weight is removed.
   */
  readonly encodedBytes?: (kernels: Float32Array) => number;
}

/** Builds the format for a set of layers and a codebook; the export room passes its own. */
export type SparseFormatOf = (layers: readonly LayerView[], quantize: Quantize) => SparseFormat;

/** Whether the size is that of the whole file, or only of the budget's layers in it. */
export type FileFormat = (whole: boolean) => SparseFormatOf;

/** A plan's only budget applies to the file; one of several, or one per layer, to its own part of it. */
export const isOfFile = (tasks: readonly unknown[], budget: Pick<MannerSpec, 'scope'>): boolean =>
  tasks.length === 1 && budget.scope !== 'layer';

/** Bytes of a kernel stored with kappa weights. */
export const storedBytes = ({ overheadBytes, bitsPerWeight }: SparseFormat, kappa: number): number =>
  overheadBytes + Math.ceil((kappa * bitsPerWeight) / 8);

/** The most weights that fit into `bytes`: floor((bytes - overhead) / bytes per weight); negative when the overhead does not fit. */
export const kappaOfBytes = ({ overheadBytes, bitsPerWeight }: SparseFormat, bytes: number): number =>
  Math.floor(((bytes - overheadBytes) * 8) / bitsPerWeight);

function valueBits(quantize: Quantize): number {
  if (quantize === undefined) return 32;
  if (quantize.codebook === 'int8') return 8;
  if (quantize.codebook === 'ternary') return 1;
  return Math.max(1, Math.ceil(Math.log2(quantize.codebook)));
}

function codebookBytes(quantize: Quantize, layers: number): number {
  if (quantize === undefined) return 0;
  return 4 * (typeof quantize.codebook === 'number' ? quantize.codebook : quantize.codebook === 'int8' ? layers : 1);
}

/**
 * Compressed sparse columns as a default: per layer 4 bytes for each of units + 1 column pointers, per weight its value
 * (float32, or its code) and the index of its input (16 bits, or 32 where a unit has more than 65536 inputs).
 */
export const compressedColumns: SparseFormatOf = (layers, quantize) => {
  const inputs = Math.max(...layers.map((layer) => layer.size / unitsOf(layer)));
  return {
    overheadBytes:
      layers.reduce((total, layer) => total + 4 * (unitsOf(layer) + 1), 0) + codebookBytes(quantize, layers.length),
    bitsPerWeight: valueBits(quantize) + (inputs > 65536 ? 32 : 16),
  };
};
