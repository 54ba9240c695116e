/** What a daemon needs of runs that queues have. */
export { readJob } from './jobs.js';
export { refreshJobs } from './refresh.js';
export { stopJob } from './stopJob.js';
export { resubmitRun, submitRun } from './submitRun.js';
