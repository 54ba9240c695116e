/** Entry of the worker thread (dist/modelWorker.mjs) that reads large model files, so that the daemon stays responsive. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ModelJob } from './modelJobs.js';
import { countZeros, readModelFile } from './readModelFile.js';

const job = workerData as ModelJob;
const result = job.kind === 'read' ? await readModelFile(job.path) : await countZeros(job.path, job.workspace);
parentPort!.postMessage(result);
