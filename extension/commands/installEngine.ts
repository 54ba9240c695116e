import * as vscode from 'vscode';
import { INSTALLABLE, type InstallableEngine } from '../engine/installable.js';
import { installWithProgress } from '../npm/installWithProgress.js';
import { isActive } from '../runs.js';
import type { Services } from '../services.js';
import type { CommandTable } from './command.js';

/** Adds an optional engine to the extension's own storage, and reports whether it works here. */
export function installEngineCommands(services: Services): Pick<CommandTable, 'lcPrune.installEngine'> {
  const { daemon, runs } = services;
  return {
    'lcPrune.installEngine': {
      needs: 'nothing',
      async run() {
        const items: (vscode.QuickPickItem & { id: InstallableEngine })[] = [
          {
            id: 'tfjs-node-gpu',
            label: vscode.l10n.t('TensorFlow on an NVIDIA GPU'),
            description: 'tfjs-node-gpu',
            detail: vscode.l10n.t('About 1 GB. Needs CUDA 11.2 and cuDNN 8.1; Linux or Windows.'),
          },
          {
            id: 'tfjs-webgpu',
            label: vscode.l10n.t('WebGPU on any GPU'),
            description: 'tfjs-backend-webgpu',
            detail: vscode.l10n.t('About 100 MB. Needs a driver with Vulkan, Metal or Direct3D 12.'),
          },
          {
            id: 'tfjs-node',
            label: vscode.l10n.t('TensorFlow on the CPU'),
            description: 'tfjs-node',
            detail: vscode.l10n.t('About 300 MB. For layers that the built-in engine has no kernel for.'),
          },
        ];
        const chosen = await vscode.window.showQuickPick(items, {
          title: vscode.l10n.t('Which engine is installed? npm downloads it and runs its install script.'),
        });
        if (!chosen) return;
        await installWithProgress(services, {
          title: vscode.l10n.t('Installing {0}', chosen.label),
          folder: daemon.engineFolder,
          packages: INSTALLABLE[chosen.id],
          scripts: true,
          async then(progress) {
            progress.report({ message: vscode.l10n.t('trying it') });
            await tell(chosen);
          },
        });
      },
    },
  };

  async function tell({ id, label }: { id: InstallableEngine; label: string }): Promise<void> {
    if (runs.all.some(isActive)) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('{0} is installed. The next run after "LC Prune: Restart Daemon" can take it.', label),
      );
      return;
    }
    await daemon.restart();
    const engine = (await daemon.request('lc/engines', null)).find((one) => one.id === id);
    if (engine?.available)
      void vscode.window.showInformationMessage(vscode.l10n.t('{0} is ready: {1}', label, engine.device));
    else
      void vscode.window.showWarningMessage(
        vscode.l10n.t('{0} is installed but does not run here: {1}', label, engine?.reason ?? ''),
      );
  }
}
