import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { displayName } from '../monitor/monitorHost.js';

/** Another engine for a run to go on on: those that are here, the one proposed after a crash first. @returns its id. */
export async function askEngine(daemon: Daemon, { ending, engine, ...run }: RunSummary): Promise<string | undefined> {
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
  const title = vscode.l10n.t('Continue {0} on which engine?', displayName({ ...run, engine }));
  return (await vscode.window.showQuickPick(items, { title }))?.id;
}
