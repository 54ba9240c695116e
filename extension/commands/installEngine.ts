import * as vscode from 'vscode';
import { findNpm, INSTALLABLE, installPackages, type InstallableEngine } from '../engine/installEngine.js';
import { isActive } from '../runs.js';
import type { Services } from '../services.js';
import type { CommandTable } from './command.js';

/** Adds an optional engine to the extension's own storage, and tells whether it works here. */
export function installEngineCommands({ daemon, log, runs }: Services): Pick<CommandTable, 'lcPrune.installEngine'> {
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
        await vscode.window.withProgress(
          {
            location: vscode.ProgressLocation.Notification,
            title: vscode.l10n.t('Installing {0}', chosen.label),
            cancellable: true,
          },
          async (progress, token) => {
            const abort = new AbortController();
            token.onCancellationRequested(() => abort.abort());
            const node = await daemon.node();
            try {
              await installPackages({
                node,
                npm: await findNpm(node, process.env.PATH ?? ''),
                folder: daemon.engineFolder,
                packages: INSTALLABLE[chosen.id],
                signal: abort.signal,
                onLine(line) {
                  log.info(`npm: ${line}`);
                  progress.report({ message: line.slice(0, 80) });
                },
              });
            } catch (error) {
              if (abort.signal.aborted) throw new vscode.CancellationError();
              throw error;
            }
            progress.report({ message: vscode.l10n.t('trying it') });
            await tell(chosen);
          },
        );
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
