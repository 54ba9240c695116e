import * as vscode from 'vscode';
import { TASK } from '../ids.js';
import { pathOf } from '../paths.js';
import type { CommandTable } from './command.js';
import { pickSweep } from './pick.js';

/** A sweep runs in a terminal: it goes on for hours, prints a table, and Ctrl-C stops all of its runs with checkpoints. */
export const sweepCommands = (): Pick<CommandTable, 'lcPrune.runSweep'> => ({
  'lcPrune.runSweep': {
    needs: 'trust',
    async run(argument) {
      const sweep = argument?.sweep ?? (await pickSweep(vscode.l10n.t('Run which sweep?')));
      if (!sweep) return;
      const document = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && pathOf(uri) === sweep);
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
});
