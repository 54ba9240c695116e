import * as vscode from 'vscode';
import type { ExportFormat, Params } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { formatItems, type FormatItem } from './formatItem.js';

/**
 * Asks for a format in a quick pick. Sizes are shown first; FLOPs and latency are added when they are known. A run that was measured when it ended
 * shows all of it at once, with the error of each file. Others are measured now, and the list does not wait for it.
 * @returns undefined if the user cancelled. @throws the error of listing the formats.
 */
export function askFormat(
  title: string,
  daemon: Pick<Daemon, 'request'>,
  model: Params<'lc/exportFormats'>,
): Promise<ExportFormat | undefined> {
  const pick = vscode.window.createQuickPick<FormatItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('Writing every format...');
  pick.busy = true;
  pick.matchOnDetail = true;
  pick.keepScrollPosition = true;
  let open = true;
  /** Updates keep the entry that the user has moved to. */
  const show = (items: FormatItem[]) => {
    const active = pick.activeItems[0]?.format?.format;
    pick.items = items;
    const same = items.filter(({ format }) => format !== null && format.format === active);
    if (same.length > 0) pick.activeItems = same;
  };

  async function addSpeed(formats: readonly ExportFormat[]): Promise<void> {
    pick.placeholder = vscode.l10n.t('Compared with the reference. Measuring the latency...');
    try {
      // Measured after the sizes: timing needs the machine for itself.
      const speed = await daemon.request('lc/latency', model);
      if (!open) return;
      show(formatItems(formats, speed));
      pick.placeholder = vscode.l10n.t('Compared with the reference, one sample at a time, on {0}', speed.machine);
    } catch (error) {
      // The formats can be exported all the same.
      if (open) pick.placeholder = vscode.l10n.t('The latency is not known: {0}', (error as Error).message);
    } finally {
      if (open) pick.busy = false;
    }
  }

  return new Promise((resolve, reject) => {
    pick.onDidAccept(() => {
      const chosen = pick.selectedItems[0];
      if (!chosen?.format) return;
      resolve(chosen.format);
      pick.hide();
    });
    pick.onDidHide(() => {
      open = false;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    daemon.request('lc/exportFormats', model).then(
      (formats) => {
        if (!open) return;
        show(formatItems(formats, null));
        void addSpeed(formats);
      },
      (error: unknown) => {
        reject(error as Error);
        pick.hide();
      },
    );
  });
}
