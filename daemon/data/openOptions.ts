import type { ResolvedData } from '../protocol/resolvedPlan.js';
import type { DataRequirements } from './dataset.js';
import type { SourceFile } from './files/sourceFile.js';

export interface OpenOptions {
  /** Absolute; no file outside it is read, except packages of built-in data sets. */
  readonly workspace: string;
  /** Seed of the splits. */
  readonly seed: number;
  /** Whether the workspace's code may run: JavaScript data modules need it. Default false. */
  readonly trusted?: boolean;
  /** "evaluate": if the data has no test part, all of it is the test split. Default "train". */
  readonly purpose?: 'train' | 'evaluate';
  /** Arrays above this many bytes are read from disk on request. Default 1 GiB. */
  readonly memoryLimit?: number;
  /** Most samples of each part to read if each costs time (images of folders), for a preview. Default all. */
  readonly sample?: number;
  /** Is called with the progress of long reads (decoding images). */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The arguments of a reader of one format. */
export interface ReadContext {
  readonly config: ResolvedData;
  readonly requirements: DataRequirements;
  readonly options: OpenOptions & { readonly memoryLimit: number };
  readonly source: SourceFile;
  readonly test: SourceFile | null;
  /** Another path ("labels" as a file, a file beside the source), resolved inside the workspace: links may lead anywhere. */
  resolve(path: string, name?: string): Promise<SourceFile>;
}
