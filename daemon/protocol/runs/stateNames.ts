import type { RunState } from '../events.js';

/** What people read of a run's state. "doubtful": finished, with cautions that are serious. */
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
