import { extname } from 'node:path';
import * as vscode from 'vscode';
import { askBudget } from '../budget/askBudget.js';
import { previewOfRun } from '../budget/preview.js';
import { setContext } from '../contexts.js';
import { askFormat } from '../export/askFormat.js';
import { bytes } from '../../daemon/protocol/format.js';
import { budgetText } from '../../daemon/protocol/goalText.js';
import { CONTEXTS, type RunItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import { askEngine } from '../engine/askEngine.js';
import { fileIn, folderOf, pathOf, uriOf } from '../paths.js';
import { hasResult, isAbandoned, isActive, isResumable, type Run } from '../runs.js';
import type { Services } from '../services.js';
import type { CommandTable } from './command.js';
import { pickRun, pickRuns, selectedRuns } from './pick.js';

type RunCommands = Pick<
  CommandTable,
  | 'lcPrune.pause'
  | 'lcPrune.resume'
  | 'lcPrune.continueOnEngine'
  | 'lcPrune.stop'
  | 'lcPrune.setRunBudget'
  | 'lcPrune.openMonitor'
  | 'lcPrune.compareRuns'
  | 'lcPrune.exportModel'
  | 'lcPrune.renameRun'
  | 'lcPrune.deleteRun'
  | 'lcPrune.revealRun'
  | 'lcPrune.openPlan'
  | 'lcPrune.refreshRuns'
>;

/** Commands on existing runs. */
export function runCommands({ daemon, runs, monitor }: Services): RunCommands {
  /** The tree's item, else one of the runs for which the command makes sense. */
  const choose = async (item: RunItem | undefined, fits: (run: Run) => boolean, title: string, none: string) =>
    item?.summary ?? pickRun((await loaded()).filter(fits), title, none);

  async function loaded(): Promise<Run[]> {
    await daemon.session();
    if (runs.all.length === 0) await runs.load();
    return runs.all;
  }

  const steer = (
    method: 'lc/pause' | 'lc/resume' | 'lc/stop',
    fits: (run: Run) => boolean,
    title: () => string,
    none: () => string,
    asked: () => string,
  ) => ({
    needs: 'trust' as const,
    async run(item: RunItem | undefined) {
      const chosen = await choose(item, fits, title(), none());
      if (chosen) await monitor.whileAsked(chosen, asked(), daemon.request(method, { run: chosen.run }));
    },
  });

  return {
    'lcPrune.pause': steer(
      'lc/pause',
      (run) => isActive(run) && !run.job,
      () => vscode.l10n.t('Pause which run?'),
      () => vscode.l10n.t('Nothing is running.'),
      () => vscode.l10n.t('Pausing...'),
    ),
    'lcPrune.resume': steer(
      'lc/resume',
      isResumable,
      () => vscode.l10n.t('Resume which run?'),
      () => vscode.l10n.t('No run is paused, stopped or interrupted.'),
      () => vscode.l10n.t('Resuming...'),
    ),
    'lcPrune.continueOnEngine': {
      needs: 'trust',
      async run(item) {
        const chosen = await choose(
          item,
          isAbandoned,
          vscode.l10n.t('Continue which run on another engine?'),
          vscode.l10n.t('No run is paused, stopped or interrupted.'),
        );
        const engine = chosen && (item?.engine ?? (await askEngine(daemon, chosen)));
        if (engine) await daemon.request('lc/resume', { run: chosen.run, engine });
      },
    },
    'lcPrune.stop': steer(
      'lc/stop',
      (run) => isActive(run) || run.state === 'paused',
      () => vscode.l10n.t('Stop which run?'),
      () => vscode.l10n.t('Nothing is running.'),
      () => vscode.l10n.t('Stopping...'),
    ),
    'lcPrune.setRunBudget': {
      needs: 'trust',
      async run(item) {
        const chosen = await choose(
          item,
          (run) => isActive(run) || run.state === 'paused',
          vscode.l10n.t('Budget of which run?'),
          vscode.l10n.t('Nothing is running.'),
        );
        if (!chosen) return;
        const budget = await askBudget({
          title: vscode.l10n.t('Budget of {0} from the next iteration on', displayName(chosen)),
          preview: previewOfRun(daemon, chosen.run),
        });
        if (!budget) return;
        // The run may be at another iteration by now.
        const now = runs.get(chosen.run) ?? chosen;
        const text = vscode.l10n.t('Budget {0} from the next iteration on', budgetText(budget));
        await monitor.whileAsked(now, text, daemon.request('lc/setBudget', { run: chosen.run, budget }), 'iteration');
      },
    },
    'lcPrune.openMonitor': {
      needs: 'folder',
      async run(argument) {
        await loaded();
        const given =
          argument && 'summary' in argument
            ? argument.summary.run
            : (argument?.run ?? (argument?.plan ? runs.ofPlan(argument.plan)[0]?.run : undefined));
        if (argument && !given)
          void vscode.window.showInformationMessage(vscode.l10n.t('This plan has not been run yet.'));
        else monitor.show(given ? [given] : runs.current ? [runs.current.run] : []);
      },
    },
    'lcPrune.compareRuns': {
      needs: 'folder',
      async run(argument, selected) {
        const all = await loaded();
        const items = selectedRuns(selected);
        const given =
          items.length > 1
            ? items.map(({ run }) => run)
            : argument && 'summary' in argument
              ? undefined
              : (argument?.runs ??
                (argument?.plan
                  ? runs
                      .ofPlan(argument.plan)
                      .filter(hasResult)
                      .map((run) => run.run)
                  : undefined));
        if (given && given.length > 1) return monitor.show(given);
        const shown = argument && 'summary' in argument ? [argument.summary.run, ...monitor.shown] : monitor.shown;
        const chosen = await pickRuns(all, shown, vscode.l10n.t('Compare which runs?'));
        if (chosen && chosen.length > 0) monitor.show(chosen.map((run) => run.run));
      },
    },
    'lcPrune.exportModel': {
      needs: 'trust',
      async run(item) {
        const chosen = await choose(
          item,
          hasResult,
          vscode.l10n.t('Export the result of which run?'),
          vscode.l10n.t('No run has a result yet.'),
        );
        if (!chosen) return;
        const point = item?.point;
        const model = { run: chosen.run, ...(point !== undefined && { point }) };
        const format = await askFormat(vscode.l10n.t('Export {0} as', displayName(chosen)), daemon, model);
        if (!format) return;
        const folder = chosen.planFile ? folderOf(chosen.planFile) : chosen.workspace;
        const target = await vscode.window.showSaveDialog({
          title: vscode.l10n.t('Export Pruned Model'),
          defaultUri: uriOf(
            fileIn(folder, `${chosen.plan}-${point === undefined ? 'pruned' : `point-${point}`}${format.extension}`),
          ),
        });
        if (!target) return;
        const written = await vscode.window.withProgress(
          { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Exporting...') },
          () => daemon.request('lc/export', { ...model, format: format.format, target: pathOf(target) }),
        );
        setContext(CONTEXTS.hasExport, true);
        const reveal = vscode.l10n.t('Reveal');
        const openIt = vscode.l10n.t('Open');
        const choice = await vscode.window.showInformationMessage(
          written.scaleFile === undefined
            ? vscode.l10n.t('Exported {0} ({1}).', vscode.workspace.asRelativePath(written.path), bytes(written.bytes))
            : vscode.l10n.t(
                'Exported {0} ({1}). Its inputs are not as stored: {2} says how to scale them.',
                vscode.workspace.asRelativePath(written.path),
                bytes(written.bytes),
                vscode.workspace.asRelativePath(written.scaleFile),
              ),
          ...(extname(written.path) === '.json' ? [openIt] : []),
          reveal,
        );
        if (choice === openIt) await vscode.window.showTextDocument(uriOf(written.path));
        if (choice === reveal) await vscode.commands.executeCommand('revealInExplorer', uriOf(written.path));
      },
    },
    'lcPrune.renameRun': {
      needs: 'trust',
      async run(item) {
        const chosen = await choose(
          item,
          (run) => !isActive(run),
          vscode.l10n.t('Rename which run?'),
          vscode.l10n.t('There are no runs.'),
        );
        if (!chosen) return;
        const name = await vscode.window.showInputBox({
          title: vscode.l10n.t('New name of {0}', displayName(chosen)),
          value: chosen.name,
          validateInput: (text) =>
            /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u.test(text)
              ? null
              : vscode.l10n.t('Letters, digits, space, ".", "_" and "-"; at most 100'),
        });
        if (name && name !== chosen.name) await daemon.request('lc/rename', { run: chosen.run, name });
      },
    },
    'lcPrune.deleteRun': {
      needs: 'trust',
      async run(item, selected) {
        const items = selectedRuns(selected);
        const chosen =
          items.length > 1
            ? items
            : [
                await choose(
                  item,
                  (run) => !isActive(run),
                  vscode.l10n.t('Delete which run?'),
                  vscode.l10n.t('There are no runs.'),
                ),
              ];
        const doomed = chosen.filter((run) => run !== undefined);
        if (doomed.length === 0) return;
        const yes = vscode.l10n.t('Delete');
        const answer = await vscode.window.showWarningMessage(
          doomed.length === 1
            ? vscode.l10n.t('Delete {0} with its checkpoints and result?', displayName(doomed[0]!))
            : vscode.l10n.t('Delete {0} runs with their checkpoints and results?', doomed.length),
          { modal: true },
          yes,
        );
        if (answer !== yes) return;
        for (const run of doomed) await daemon.request('lc/delete', { run: run.run });
      },
    },
    'lcPrune.revealRun': {
      needs: 'folder',
      async run(item) {
        const chosen = await choose(
          item,
          () => true,
          vscode.l10n.t('Reveal which run?'),
          vscode.l10n.t('There are no runs.'),
        );
        if (!chosen) return;
        // Remote hosts have no file manager; the explorer shows the folder everywhere.
        const command =
          vscode.env.remoteName || vscode.env.uiKind === vscode.UIKind.Web ? 'revealInExplorer' : 'revealFileInOS';
        await vscode.commands.executeCommand(command, uriOf(fileIn(chosen.folder, 'plan.json')));
      },
    },
    'lcPrune.refreshRuns': {
      needs: 'folder',
      run: () => runs.refresh(),
    },
    'lcPrune.openPlan': {
      needs: 'folder',
      async run(item) {
        const chosen = await choose(
          item,
          (run) => run.planFile !== null,
          vscode.l10n.t('Plan of which run?'),
          vscode.l10n.t('There are no runs.'),
        );
        if (chosen?.planFile) await vscode.window.showTextDocument(uriOf(chosen.planFile));
      },
    },
  };
}
