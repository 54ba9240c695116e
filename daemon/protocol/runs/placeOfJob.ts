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

/** "slurm job 12: pending: Priority", "command job 4711@n7": a run's job and where it is. @param now milliseconds since 1970. */
export function jobText(job: JobState, now = Date.now()): string {
  const place = placeOfJob(job, now);
  // The id of a command ends with the start time of its process, which says nothing to people.
  const name = `${job.on} job ${job.on === 'command' ? job.id.replace(/\+.*$/, '') : job.id}`;
  return place === job.on ? name : `${name}: ${place}`;
}
