/** A supervisor in a separate process that a test can kill: it starts the plan, or resumes a run, and prints its trainer's process id. */
import { readFileSync } from 'node:fs';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { resumeRun, startRun } from '../../../daemon/runs/supervisor.js';

const [planFile, workspace, trainer, run] = process.argv.slice(2) as [string, string, string, string | undefined];
const options = { workspace, trainer };
const handle = await (run === undefined
  ? startRun(JSON.parse(readFileSync(planFile, 'utf8')) as ResolvedPlan, options)
  : resumeRun(run, options));
handle.onEvent(() => undefined);
console.log(handle.pid);
