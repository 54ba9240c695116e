/** The parts that all users of the handlers in one process share: the daemon's sessions, or the one client of the MCP server. */
import type { Program } from '../runs/supervisor.js';
import type { Backend } from './backend.js';
import type { Context } from './context.js';
import { DataSearches } from './jobs/dataSearches.js';
import { EngineProbes } from './jobs/engineProbes.js';
import { RunningRuns } from './runningRuns.js';
import type { Log } from './log.js';

export type Parts = Pick<Context, 'backend' | 'running' | 'models' | 'engines' | 'searches' | 'log'>;

/** @param program of its trainers, as shown to others. */
export const createParts = (backend: Backend, log: Log, program: Program): Parts => ({
  backend,
  running: new RunningRuns(backend, log, program),
  models: backend.models,
  engines: new EngineProbes((folders) => backend.runInChild('probe', { folders })),
  searches: new DataSearches((params) => backend.runInChild('searchData', params)),
  log,
});
