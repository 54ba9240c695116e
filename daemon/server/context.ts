import { isAbsolute } from 'node:path';
import { UserError } from '../protocol/errors.js';
import type { z } from 'zod';
import type { Notifications } from '../protocol/messages.js';
import type { Backend } from './backend.js';
import type { DataSearches } from './jobs/dataSearches.js';
import type { EngineProbes } from './jobs/engineProbes.js';
import type { RunningRuns } from './runningRuns.js';
import type { Log } from './log.js';
import type { Models } from './models/models.js';
import type { RunStream } from './connection/stream.js';
import type { Workspace } from './workspace.js';

/** The arguments of handlers: the daemon's shared parts, and their connection's own workspace and stream. */
export interface Context {
  readonly backend: Backend;
  readonly running: RunningRuns;
  readonly models: Models;
  readonly engines: EngineProbes;
  readonly searches: DataSearches;
  readonly workspace: Workspace;
  readonly stream: RunStream;
  readonly log: Log;
  /** Sends a notification to the client of this connection. */
  notify<M extends keyof Notifications>(method: M, params: z.infer<Notifications[M]>): void;
}

export interface FoundRun {
  /** Its name. */
  readonly run: string;
  /** The workspace folder that holds it. */
  readonly workspace: string;
  /** The run folder. */
  readonly folder: string;
}

/**
 * The run that a client names: by its folder, or by its name in any folder of the connection.
 * @throws UserError('run-missing'), UserError('run-invalid') if two folders have one of that name.
 */
export async function findRun(run: string, { backend, workspace }: Context): Promise<FoundRun> {
  const named = isAbsolute(run) ? workspace.runAt(run) : null;
  const places = named ? [named] : workspace.folders.map((folder) => ({ workspace: folder, run }));
  const found: FoundRun[] = [];
  for (const place of places) {
    try {
      found.push({ ...place, folder: await backend.runFolder(place.workspace, place.run) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  const [only, another] = found;
  if (another)
    throw new UserError(
      'run-invalid',
      `${workspace.asNamed(only!.folder)} and ${workspace.asNamed(another.folder)} have the same name; name the one that is meant by its folder`,
    );
  if (only) return only;
  throw new UserError(
    'run-missing',
    `no run is called "${run.slice(0, 200)}" in the open folders; refresh the list of runs`,
  );
}
