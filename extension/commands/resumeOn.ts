/** "Resume On...": a run or a sweep that has ended before its time continues in another place. */
import * as vscode from 'vscode';
import type { RunOn } from '../../daemon/protocol/runs/runOn.js';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import type { RunItem, SweepItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import type { AbsolutePath } from '../paths.js';
import { isAbandoned, type Run } from '../runs.js';
import type { Services } from '../services.js';
import { sweepTask } from '../tasks/taskProvider.js';
import { sweepName } from '../views/sweepText.js';
import { choosePlace } from './askPlace.js';
import type { CommandTable } from './command.js';
import { pickRun } from './pick.js';

/** A place as an argument of the command line. */
export const onOption = (runOn: RunOn): string[] => ['--on', typeof runOn === 'string' ? runOn : JSON.stringify(runOn)];

export function resumeOnCommand(services: Services): Pick<CommandTable, 'lcPrune.resumeOn'> {
  const { daemon, runs, sweeps, context, monitor } = services;

  async function place(key: AbsolutePath, planned: unknown, name: string): Promise<RunOn | undefined> {
    return choosePlace(services, { key, planned, title: vscode.l10n.t('Resume {0} on', name) });
  }

  async function resumeSweep(sweep: SweepSummary): Promise<void> {
    const runOn = await place(sweep.sweep, sweep.runOn, sweepName(sweep));
    const task = runOn !== undefined && (await sweepTask(sweep, daemon, context.extensionPath, onOption(runOn)));
    if (task) await vscode.tasks.executeTask(task);
  }

  async function resumeRun(run: Run): Promise<void> {
    const { plan } = await daemon.request('lc/plan', { run: run.run });
    const runOn = await place(run.run, plan.runOn, displayName(run));
    if (runOn === undefined) return;
    await monitor.whileAsked(run, vscode.l10n.t('Resuming...'), daemon.request('lc/resume', { run: run.run, runOn }));
    await sweeps.load();
  }

  async function chosen(): Promise<Run | undefined> {
    await daemon.session();
    if (runs.all.length === 0) await runs.load();
    const title = vscode.l10n.t('Resume which run in another place?');
    return pickRun(runs.all.filter(isAbandoned), title, vscode.l10n.t('No run is stopped or interrupted.'));
  }

  return {
    'lcPrune.resumeOn': {
      needs: 'trust',
      async run(item: RunItem | SweepItem | undefined) {
        if (item && 'sweep' in item) return resumeSweep(item.sweep);
        const run = item?.summary ?? (await chosen());
        if (run) await resumeRun(run);
      },
    },
  };
}
