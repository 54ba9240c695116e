import type { Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';
import { engineHandlers } from './engines.js';
import { exportHandlers } from './export.js';
import { historyHandlers } from './history.js';
import { modelHandlers } from './models.js';
import { dataHandlers } from './data.js';
import { resultHandlers } from './results.js';
import { runHandlers } from './runs.js';
import { sweepHandlers } from './sweeps.js';

/** One handler for each request of daemon/protocol/messages.ts; the compiler reports missing ones. */
export const handlers: Handlers<Context> = {
  ...runHandlers,
  ...historyHandlers,
  ...modelHandlers,
  ...dataHandlers,
  ...engineHandlers,
  ...exportHandlers,
  ...resultHandlers,
  ...sweepHandlers,
};
