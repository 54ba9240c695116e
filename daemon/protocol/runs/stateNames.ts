import type { RunState } from '../events.js';

/** The displayed name of a run's state. "doubtful": finished, with serious cautions. */
export const STATE_NAMES: Readonly<Record<RunState | 'doubtful', string>> = {
  queued: 'Queued',
  running: 'Running',
  paused: 'Paused',
  interrupted: 'Interrupted',
  stopped: 'Stopped',
  crashed: 'Crashed',
  failed: 'Failed',
  done: 'Finished',
  doubtful: 'Finished, with warnings',
};
