/** Messages between the page of data that may be chosen (extension/data/dataPage.ts) and its host. */
import type { DataPreview } from '../../daemon/protocol/dataChoice.js';

/** What of the reading is the user's: null is as proposed. */
export interface DataWishes {
  readonly labels: readonly string[] | null;
  /** Columns of a model's only input. */
  readonly inputs: readonly string[] | null;
  readonly scale: string | null;
  readonly order: string | null;
}

export type ToDataPage =
  /** The data is being read: what it is called, and for which model. */
  | { type: 'reading'; name: string; model: string }
  | { type: 'preview'; preview: DataPreview; wishes: DataWishes }
  /** Why it cannot be read so. */
  | { type: 'problem'; message: string };

export type FromDataPage =
  | { type: 'ready' }
  | { type: 'change'; wishes: DataWishes }
  /** Take it; `time`: position in the preview's times, -1 where it has none. */
  | { type: 'use'; time: number }
  | { type: 'other' }
  | { type: 'failure'; message: string };
