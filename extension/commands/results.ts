import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { RunItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import { showStaticPage } from '../page/staticPage.js';
import { fileIn } from '../paths.js';
import { hasResult, type Run } from '../runs.js';
import type { Services } from '../services.js';
import { showChangedPage } from '../whatChanged/changedPage.js';
import type { CommandTable } from './command.js';
import { pickRun } from './pick.js';

type ResultCommands = Pick<CommandTable, 'lcPrune.whatChanged' | 'lcPrune.openReport'>;

/** Commands that show the results of runs that have ended. */
export function resultCommands(services: Services): ResultCommands {
  const { daemon, runs } = services;
  async function choose(item: RunItem | undefined, title: string): Promise<Run | undefined> {
    if (item) return item.summary;
    await daemon.session();
    if (runs.all.length === 0) await runs.load();
    return pickRun(runs.all.filter(hasResult), title, vscode.l10n.t('No run has a result yet.'));
  }
  return {
    'lcPrune.whatChanged': {
      needs: 'folder',
      async run(item) {
        const chosen = await choose(item, vscode.l10n.t('What changed in which run?'));
        if (chosen) showChangedPage(services, chosen, { point: item?.point, tryIt: item?.tryIt ?? false });
      },
    },
    'lcPrune.openReport': {
      needs: 'folder',
      async run(item) {
        const chosen = await choose(item, vscode.l10n.t('The report of which run?'));
        if (!chosen) return;
        const html = await readFile(fileIn(chosen.folder, 'result', 'report.html'), 'utf8').catch(() => {
          throw new Error(
            vscode.l10n.t('{0} has no report yet: it is written when the run is done.', displayName(chosen)),
          );
        });
        showStaticPage(vscode.l10n.t('Report of {0}', displayName(chosen)), html);
      },
    },
  };
}
