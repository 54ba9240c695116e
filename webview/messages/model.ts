/** Messages between the editor of binary model files (extension/modelEditor) and its page. */
import type { LayerKept } from '../../daemon/protocol/events.js';
import type { ModelSummary } from '../../daemon/protocol/messages.js';

export type ToModelPage =
  | {
      type: 'model';
      model: ModelSummary;
      /** Name of the model's latest run, and what that keeps. */
      run: string | null;
      kept: readonly LayerKept[];
    }
  /** Why nothing can be shown. */
  | { type: 'problem'; message: string };

/** The buttons: the same actions as the CodeLens of a model.json. */
export type ModelAction = 'prune' | 'inspect' | 'budget' | 'exclude';

export type FromModelPage =
  | { type: 'ready' }
  | { type: 'action'; action: ModelAction; layer: string | null }
  | { type: 'log' }
  | { type: 'failure'; message: string };
