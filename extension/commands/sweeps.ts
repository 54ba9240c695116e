import * as vscode from 'vscode';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import { TASK } from '../ids.js';
import { pathOf } from '../paths.js';
import type { Services } from '../services.js';
import { sweepTask } from '../tasks/taskProvider.js';
import { sweepDescription, sweepName } from '../views/sweepText.js';
import type { CommandTable } from './command.js';
import { pickSweep } from './pick.js';

type SweepCommands = Pick<
  CommandTable,
  'lcPrune.runSweep' | 'lcPrune.stopSweep' | 'lcPrune.resumeSweep' | 'lcPrune.openSweepTable'
>;

/** A sweep runs in a terminal: it goes on for hours, prints a table, and Ctrl-C stops all of its runs with checkpoints. */
export function sweepCommands({ daemon, sweeps, sweepPages, context }: Services): SweepCommands {
  /** A sweep that has begun: the tree's, else one of those for which the command makes sense. */
  async function choose(
    given: SweepSummary | undefined,
    fits: (sweep: SweepSummary) => boolean,
    title: string,
  ): Promise<SweepSummary | undefined> {
    if (given) return given;
    await daemon.session();
    await sweeps.load();
    const items = sweeps.all.filter(fits).map((sweep) => ({ label: sweepName(sweep), description: sweepDescription(sweeps.progress(sweep)), sweep })); // prettier-ignore
    if (items.length > 0) return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.sweep;
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no such sweep.'));
    return undefined;
  }
  const stateOf = (sweep: SweepSummary) => sweeps.progress(sweep).state;

  return {
    'lcPrune.runSweep': {
      needs: 'trust',
      async run(argument) {
        const sweep = argument?.sweep ?? (await pickSweep(vscode.l10n.t('Run which sweep?')));
        if (!sweep) return;
        const document = vscode.workspace.textDocuments.find(
          ({ uri }) => uri.scheme === 'file' && pathOf(uri) === sweep,
        );
        // The command line reads the file.
        if (document?.isDirty) await document.save();
        const tasks = await vscode.tasks.fetchTasks({ type: TASK });
        const task = tasks.find(({ definition, scope }) => {
          const folder = typeof scope === 'object' ? scope : undefined;
          return folder && typeof definition['sweep'] === 'string' && pathOf(vscode.Uri.joinPath(folder.uri, definition['sweep'])) === sweep; // prettier-ignore
        });
        if (!task) throw new Error(vscode.l10n.t('{0} is in no folder of this window.', sweep));
        await vscode.tasks.executeTask(task);
      },
    },
    'lcPrune.stopSweep': {
      needs: 'trust',
      async run(argument) {
        const isRunning = (one: SweepSummary) => stateOf(one) === 'running';
        const sweep = await choose(argument?.sweep, isRunning, vscode.l10n.t('Stop which sweep?'));
        if (!sweep) return;
        const title = vscode.l10n.t('Stopping the sweep...');
        await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () =>
          daemon.request('lc/stopSweep', { sweep: sweep.sweep }),
        );
        await sweeps.load();
      },
    },
    'lcPrune.resumeSweep': {
      needs: 'trust',
      async run(argument) {
        const isStopped = (one: SweepSummary) => stateOf(one) === 'stopped';
        const sweep = await choose(argument?.sweep, isStopped, vscode.l10n.t('Continue which sweep?'));
        const task = sweep && (await sweepTask(sweep, daemon, context.extensionPath));
        if (task) await vscode.tasks.executeTask(task);
      },
    },
    'lcPrune.openSweepTable': {
      needs: 'folder',
      async run(argument) {
        const sweep = await choose(argument?.sweep, () => true, vscode.l10n.t('The table of which sweep?'));
        if (sweep) sweepPages.show(sweep);
      },
    },
  };
}
