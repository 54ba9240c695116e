/** What a daemon needs of sweeps. */
export { listSweeps } from './listSweeps.js';
export { sweepResults } from './results.js';
export { stopSweep } from './stopSweep.js';
export { readRecord, sweepFiles } from './sweepFolder.js';
export { writeResults } from './writeResults.js';
