/** A supervisor as a process of its own, to be killed: starts the plan and prints its trainer's process id. */
import { readFileSync } from 'node:fs';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { startRun } from '../../../daemon/runs/supervisor.js';

const [planFile, workspace, trainer] = process.argv.slice(2) as [string, string, string];
const handle = await startRun(JSON.parse(readFileSync(planFile, 'utf8')) as ResolvedPlan, { workspace, trainer });
handle.onEvent(() => undefined);
console.log(handle.pid);
