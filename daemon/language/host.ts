import type { LayerSummary } from '../model/model.js';
import type { FoundData } from '../protocol/dataChoice.js';
import type { LayerKept } from '../protocol/events.js';
import type { AbsolutePath } from '../protocol/paths.js';
import type { RunSummary } from '../protocol/messages.js';
import type { ARCHITECTURES } from '../protocol/plan.js';

/** The services of the server that the language features use. */
export interface LanguageHost {
  readonly workspace: {
    readonly folders: readonly string[];
    /** Workspace Trust. */
    readonly trusted: boolean;
    /** @throws UserError('path-outside-workspace') */
    contain(path: string): Promise<{ folder: string; path: string }>;
    /** A real path as the client names it. */
    asNamed(path: string): AbsolutePath;
  };
  listRuns(workspace: string): Promise<RunSummary[]>;
  /** Kept weights per layer as of the run's latest C step or end. */
  lastPerLayer(folder: string): Promise<readonly LayerKept[] | null>;
  /** The layers of a model of any format. @throws UserError */
  layersOf(path: string, workspace: string): Promise<readonly LayerSummary[]>;
  /** Data that fits a model, for a plan in `planFolder`; the answer may be some seconds old. @throws UserError. */
  searchData(
    model: string | { readonly architecture: (typeof ARCHITECTURES)[number] },
    place: { readonly workspace: string; readonly planFolder: string },
  ): Promise<FoundData>;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
}
