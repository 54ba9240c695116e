/** Entry of the daemon process (dist/daemon.mjs). See docs/architecture.md, "Processes". */
import manifest from '../package.json' with { type: 'json' };
import { backend } from './server/backend.js';
import { runDaemon } from './server/daemon.js';
import { logToStderr } from './server/log.js';
import { serveJob } from './server/jobs/childJob.js';
import { JOB_ARGUMENT, WARM_ARGUMENT } from './server/jobs/jobProcess.js';

if (process.argv[2] === JOB_ARGUMENT) {
  await serveJob(process.argv[3]!, process.argv[4] === WARM_ARGUMENT);
  process.exit(0);
}

// A bug in one request must not end the runs of every client; it is logged, and tests fail on it.
process.on('uncaughtException', (error) => logToStderr('error', `uncaught: ${error.stack ?? error.message}`));
process.on('unhandledRejection', (reason) => logToStderr('error', `unhandled rejection: ${String(reason)}`));

process.exit(await runDaemon({ backend, version: manifest.version, log: logToStderr }));
