import * as vscode from 'vscode';
import type { Services } from '../services.js';
import { byUse } from '../engine/byUse.js';
import { openExample } from '../example/openExample.js';
import { engineSetting, setEngine } from '../settings.js';
import type { CommandTable } from './command.js';

type ServiceCommands = Pick<
  CommandTable,
  'lcPrune.tryExample' | 'lcPrune.selectEngine' | 'lcPrune.showLog' | 'lcPrune.restartDaemon'
>;

/** Commands on the daemon itself, and the example that comes with the extension. */
export function serviceCommands({ context, daemon, log }: Services): ServiceCommands {
  return {
    'lcPrune.tryExample': { needs: 'nothing', run: () => openExample(context) },
    'lcPrune.selectEngine': {
      needs: 'nothing',
      async run() {
        const current = engineSetting();
        const items = daemon.request('lc/engines', null).then((engines) => {
          const automatic = engines.find((engine) => engine.chosen);
          return [
            {
              label: vscode.l10n.t('Automatic'),
              description: automatic ? vscode.l10n.t('now {0} on {1}', automatic.name, automatic.device) : '',
              detail: current === 'auto' ? vscode.l10n.t('in use') : '',
              id: 'auto',
            },
            ...byUse(engines, current).map((engine) => ({
              label: `${engine.available ? '$(check)' : '$(circle-slash)'} ${engine.name}`,
              description: engine.device,
              detail: [engine.id === current ? vscode.l10n.t('in use') : '', engine.reason].filter(Boolean).join(' · '),
              id: engine.available ? engine.id : '',
            })),
          ];
        });
        const chosen = await vscode.window.showQuickPick(items, {
          title: vscode.l10n.t('Which engine trains the next runs?'),
          matchOnDetail: true,
        });
        if (chosen?.id) await setEngine(chosen.id);
        else if (chosen) void vscode.window.showWarningMessage(vscode.l10n.t('Not available here: {0}', chosen.detail));
      },
    },
    'lcPrune.showLog': { needs: 'nothing', run: () => log.show() },
    'lcPrune.restartDaemon': { needs: 'nothing', run: () => daemon.restart() },
  };
}
