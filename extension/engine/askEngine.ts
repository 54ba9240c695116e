import * as vscode from 'vscode';
import type { Daemon } from '../daemon/daemon.js';
import { displayName } from '../monitor/runView.js';
import type { Run } from '../runs.js';

/** Asks for another engine to continue a run on, among the available ones; the one proposed after a crash comes first. @returns its id. */
export async function askEngine(daemon: Daemon, run: Run): Promise<string | undefined> {
  const { ending, engine } = run;
  const items = daemon.request('lc/engines', null).then((engines) => {
    const others = engines.filter(({ id, available }) => available && id !== (ending?.engine ?? engine));
    return others
      .sort((a, b) => Number(b.id === ending?.next) - Number(a.id === ending?.next))
      .map(({ id, name, device }) => ({
        label: name,
        description: device,
        ...(id === ending?.next && { detail: vscode.l10n.t('the next in line that opens this model') }),
        id,
      }));
  });
  const title = vscode.l10n.t('Continue {0} on which engine?', displayName(run));
  return (await vscode.window.showQuickPick(items, { title }))?.id;
}
