import type { ResolvedData } from '../protocol/resolvedPlan.js';
import type { DataRequirements } from './dataset.js';
import type { SourceFile } from './files/sourceFile.js';

export interface OpenOptions {
  /** Absolute; nothing outside it is read, but for the packages of built-in data sets. */
  readonly workspace: string;
  /** Draws the splits. */
  readonly seed: number;
  /** Whether the workspace's code may run: JavaScript data modules need it. Default false. */
  readonly trusted?: boolean;
  /** "evaluate": where the data has no test part, all of it is the test split. Default "train". */
  readonly purpose?: 'train' | 'evaluate';
  /** Arrays above this many bytes are read from disk as they are needed. Default 1 GiB. */
  readonly memoryLimit?: number;
  /** At most so many samples of each part are read where each costs time (images of folders), for a look at the data. Default all. */
  readonly sample?: number;
  /** Long reads (decoding images) report here. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a reader of one format gets. */
export interface ReadContext {
  readonly config: ResolvedData;
  readonly requirements: DataRequirements;
  readonly options: OpenOptions & { readonly memoryLimit: number };
  readonly source: SourceFile;
  readonly test: SourceFile | null;
  /** Another path ("labels" as a file, a file beside the source), resolved inside the workspace: links may lead anywhere. */
  resolve(path: string, name?: string): Promise<SourceFile>;
}
