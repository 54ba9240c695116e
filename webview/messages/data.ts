/** Messages between the page that previews data (extension/data/dataPage.ts) and its host. */
import type { DataPreview } from '../../daemon/protocol/dataChoice.js';

/** The user's choices of how the data is read; null: as proposed. */
export interface DataWishes {
  readonly labels: readonly string[] | null;
  /** Columns of a model's only input. */
  readonly inputs: readonly string[] | null;
  readonly scale: string | null;
  readonly order: string | null;
}

export type ToDataPage =
  /** The data is being read: its name, and the model's. */
  | { type: 'reading'; name: string; model: string }
  | { type: 'preview'; preview: DataPreview; wishes: DataWishes }
  /** Why it cannot be read in this way. */
  | { type: 'problem'; message: string };

export type FromDataPage =
  | { type: 'ready' }
  | { type: 'change'; wishes: DataWishes }
  /** Accept it; `time`: position in the preview's times, -1 if it has none. */
  | { type: 'use'; time: number }
  | { type: 'other' }
  | { type: 'failure'; message: string };
