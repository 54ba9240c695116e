/** Tools over runs: the list, the state of one (waited for, if asked), and its end. */
import * as z from 'zod';
import { count } from '../../protocol/format.js';
import type { RunSummary } from '../../protocol/messages.js';
import { isActive, resultOf, RunResult, RunStatus, statusOf, statusText } from '../runStatus.js';
import { defineTool, READS, runName, text } from '../tool.js';
import { LIMITS } from '../limits.js';

export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List runs',
  description: 'The runs of the root folder, newest first, whoever started them.',
  annotations: READS,
  input: z.strictObject({ limit: z.int().min(1).max(1000).default(50) }),
  output: z.object({ text, runs: z.array(RunStatus), more: z.int().describe('Older runs that are not listed.') }),
  async run({ limit }, root) {
    const all = await root.ask('lc/runs', null);
    const active = all.filter(isActive).length;
    return {
      text: `${count(all.length)} runs, ${count(active)} running.`,
      runs: all.slice(0, limit).map((summary) => statusOf(summary, root)),
      more: Math.max(0, all.length - limit),
    };
  },
});

export const runStatus = defineTool({
  name: 'run_status',
  title: 'Status of a run',
  description: `State, progress and errors of a run, and its result when it is done. With "wait_seconds" the answer comes when the run has ended (or pauses), or after that time, whichever is first; meanwhile clients that ask for progress get it.`,
  annotations: READS,
  input: z.strictObject({
    run: runName,
    wait_seconds: z.number().min(0).max(LIMITS.waitSeconds).default(0),
  }),
  output: z.object({ text, ...RunStatus.shape, result: RunResult.nullable() }),
  async run({ run, wait_seconds }, root, { signal, progress }) {
    const until = performance.now() + 1000 * wait_seconds;
    let told = -1;
    let summary: RunSummary = await root.summary(run);
    while (isActive(summary) && performance.now() < until && !signal.aborted) {
      if (summary.progress > told) progress((told = summary.progress), statusText(summary));
      await root.nextChange();
      summary = await root.summary(run);
    }
    return {
      text: statusText(summary),
      ...statusOf(summary, root),
      result: await resultOf(summary.folder, root),
    };
  },
});

export const stopRun = defineTool({
  name: 'stop_run',
  title: 'Stop a run',
  description:
    'Writes a checkpoint and ends the training of a run, whoever runs it; resume_run continues it from there.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  input: z.strictObject({ run: runName }),
  output: z.object({ text, ...RunStatus.shape }),
  async run({ run }, root) {
    // A run that has ended meanwhile need not be stopped.
    const before = await root.summary(run);
    if (isActive(before) || before.state === 'paused') await root.ask('lc/stop', { run });
    const summary = await root.summary(run);
    return { text: statusText(summary), ...statusOf(summary, root) };
  },
});
