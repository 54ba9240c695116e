import { duration } from '../format.js';

/** What its runner reports of a run's job. Without validators, because pages use it too. */
export interface JobState {
  readonly on: 'slurm' | 'command';
  readonly id: string;
  readonly state: 'pending' | 'running' | 'ended';
  /** Why it waits, or how it ended, in the runner's own words. */
  readonly reason?: string | undefined;
  /** Where it runs. */
  readonly node?: string | undefined;
  /** Time at which its limit ends it, milliseconds since 1970. */
  readonly until?: number | undefined;
}

/** "pending: Priority", "n7, 1 h 12 min left": where a run is. @param now milliseconds since 1970. */
export function placeOfJob({ state, reason, node, until, on }: JobState, now = Date.now()): string {
  if (state === 'pending') return reason === undefined ? 'pending' : `pending: ${reason}`;
  if (state === 'ended') return reason ?? 'ended';
  const where = node ?? on;
  return until === undefined ? where : `${where}, ${duration((until - now) / 1000)} left`;
}
