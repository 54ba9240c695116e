/** The tool that puts runs side by side. */
import * as z from 'zod';
import { UNLIKE } from '../../protocol/runs/errorWords.js';
import { count, orDash, percent } from '../../protocol/format.js';
import { Budget } from '../../protocol/plan.js';
import { resultOf, RunStatus, statusOf } from '../runStatus.js';
import { defineTool, READS, runName, text } from '../tool.js';

const Row = RunStatus.pick({
  run: true,
  method: true,
  state: true,
  engine: true,
  error: true,
  referenceError: true,
  unlabelled: true,
  kept: true,
  prunable: true,
  cautions: true,
}).extend({
  seed: z.number(),
  budgets: z.array(z.object({ task: z.string(), budget: Budget })),
  keptShare: z.number().nullable(),
  errorChange: z.number().nullable().describe('Error minus the error of its reference: below 0 it is better.'),
  seconds: z.number().nullable(),
});

const shown = (value: number | null): string => orDash(value, (share) => percent(share));

export const compareRuns = defineTool({
  name: 'compare_runs',
  title: 'Compare runs',
  description:
    'Runs side by side: method, budget, weights kept, error, difference to the reference, time, warnings. The order is that of the call.',
  annotations: READS,
  input: z.strictObject({ runs: z.array(runName).min(2).max(50) }),
  output: z.object({ text, runs: z.array(Row) }),
  async run({ runs }, root) {
    const rows = await Promise.all(
      [...new Set(runs)].map(async (run) => {
        const { folder } = await root.find(run);
        const [summary, plan, result] = await Promise.all([
          root.summary(run),
          root.context.backend.readRunPlan(folder),
          resultOf(folder, root),
        ]);
        const { error, referenceError, kept, prunable } = summary;
        return {
          ...statusOf(summary, root),
          seed: plan.seed,
          budgets: plan.tasks.map(({ name, budget }) => ({ task: name, budget })),
          keptShare: kept === null || !prunable ? null : kept / prunable,
          errorChange: error === null || referenceError === null ? null : error - referenceError,
          seconds: result?.seconds ?? null,
        };
      }),
    );
    const lines = rows.map(
      ({ run, method, state, kept, keptShare, error, referenceError, unlabelled }) =>
        `${run} (${method}, ${state}): ${kept === null ? '-' : `${count(kept)} weights (${shown(keptShare)})`}, ${unlabelled ? `${shown(error)} ${UNLIKE}` : `error ${shown(error)}, reference ${shown(referenceError)}`}`,
    );
    return { text: `${lines.join('; ')}.`, runs: rows };
  },
});
