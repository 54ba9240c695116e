import type { RunSummary } from '../protocol/messages.js';

/** What the language features need of the server. */
export interface LanguageHost {
  readonly workspace: {
    readonly folders: readonly string[];
    /** @throws UserError('path-outside-workspace') */
    contain(path: string): Promise<{ folder: string; path: string }>;
  };
  listRuns(workspace: string): Promise<RunSummary[]>;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
}
