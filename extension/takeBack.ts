import type { Daemon } from './daemon/daemon.js';

/** Ends and deletes a run that has just been started, when the user no longer wants it. @param run its folder. */
export const takeBack =
  (daemon: Pick<Daemon, 'request'>) =>
  async (run: string): Promise<void> => {
    await daemon.request('lc/stop', { run });
    await daemon.request('lc/delete', { run });
  };
