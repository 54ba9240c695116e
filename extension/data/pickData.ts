import * as vscode from 'vscode';
import { DATA_PACKAGES, type DataPackage } from '../../daemon/protocol/dataPackages.js';
import type { DataCandidate, DataSearch } from '../../daemon/protocol/dataChoice.js';
import type { DataSource } from '../../daemon/protocol/plan.js';
import { folderOf, pathOf, uriOf, type AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';

/** Data as the user picked it, not previewed yet. */
export interface PickedData {
  readonly data: DataSource;
  readonly name: string;
  /** The packages to install first, and where; null if there is nothing to install. */
  readonly missing: { readonly packages: readonly DataPackage[]; readonly folder: AbsolutePath } | null;
}

interface DataItem extends vscode.QuickPickItem {
  data?: PickedData | 'file' | 'folder';
}

/** At most so many data sets that do not fit are listed, each with the reason. */
const MISFITS = 8;

const ICONS: Record<DataCandidate['kind'], string> = { file: 'table', images: 'file-media', builtin: 'package' };

function itemOf(candidate: DataCandidate, folder: AbsolutePath): DataItem {
  const { kind, name, about, packages, data } = candidate;
  const megabytes = packages.reduce((total, each) => total + DATA_PACKAGES[each].megabytes, 0);
  return {
    label: `$(${ICONS[kind]}) ${name}`,
    ...(packages.length > 0 && { description: vscode.l10n.t('not installed, about {0} MB', megabytes) }),
    detail: about,
    data: { data, name, missing: packages.length > 0 ? { packages, folder } : null },
  };
}

/** The search's results as entries: data that fits, built-in sets, any other file, and data that does not fit. */
function itemsOf({ candidates, others, stopped, packagesFolder }: DataSearch): DataItem[] {
  const separator = (label: string): DataItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const part = (label: string, items: DataItem[]) => (items.length > 0 ? [separator(label), ...items] : []);
  const items = (builtin: boolean) =>
    candidates
      .filter(({ kind }) => (kind === 'builtin') === builtin)
      .map((candidate) => itemOf(candidate, packagesFolder));
  // The systems' own dialogs choose files or folders, never both.
  const browse: DataItem[] = [
    { label: `$(folder-opened) ${vscode.l10n.t('Browse...')}`, detail: vscode.l10n.t('Any file of this workspace'), data: 'file' },
    { label: `$(file-media) ${vscode.l10n.t('Browse for a folder...')}`, detail: vscode.l10n.t('Images, one folder per class; or the parts of one data set'), data: 'folder' },
  ]; // prettier-ignore
  const cut =
    stopped === null ? [] : [{ label: `$(info) ${vscode.l10n.t('Not everything was looked at: {0}', stopped)}` }];
  const misfits = others.slice(0, MISFITS).map(({ name, why }) => ({ label: `$(circle-slash) ${name}`, detail: why }));
  return [
    ...part(vscode.l10n.t('fits this model'), items(false)),
    ...part(vscode.l10n.t('built in, of the same sizes'), items(true)),
    ...part(vscode.l10n.t('other'), [...browse, ...cut]),
    ...part(vscode.l10n.t('does not fit'), misfits),
  ];
}

async function browse(model: AbsolutePath, folder: boolean): Promise<PickedData | undefined> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Data of the model'),
      openLabel: vscode.l10n.t('Choose'),
      defaultUri: uriOf(folderOf(model)),
      canSelectFiles: !folder,
      canSelectFolders: folder,
    })) ?? [];
  if (!chosen) return undefined;
  return { data: pathOf(chosen), name: vscode.workspace.asRelativePath(chosen), missing: null };
}

/**
 * Asks which data a model is trained on, among the data that fits it.
 * @returns undefined if the user cancelled; the search is then cancelled too. @throws the error of the daemon's search.
 */
export async function pickData(
  { daemon }: Pick<Services, 'daemon'>,
  { model, planPath, title }: { model: AbsolutePath; planPath?: AbsolutePath | undefined; title: string },
): Promise<PickedData | undefined> {
  const pick = vscode.window.createQuickPick<DataItem>();
  const given = new vscode.CancellationTokenSource();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('Looking for data that fits...');
  pick.matchOnDetail = true;
  pick.busy = true;
  const chosen = new Promise<DataItem['data']>((resolve) => {
    pick.onDidAccept(() => {
      const data = pick.selectedItems[0]?.data;
      if (!data) return;
      resolve(data);
      pick.hide();
    });
    pick.onDidHide(() => {
      given.cancel();
      resolve(undefined);
      pick.dispose();
    });
  });
  pick.show();
  const search = daemon
    .request('lc/searchData', { model, ...(planPath !== undefined && { planPath }) }, given.token)
    .then(
      (found) => {
        const fits = found.candidates.length;
        pick.busy = false;
        pick.placeholder = fits > 0 ? vscode.l10n.t('What the run trains and tests on') : vscode.l10n.t('Nothing here fits this model'); // prettier-ignore
        pick.items = itemsOf(found);
      },
      (error: unknown) => {
        if (given.token.isCancellationRequested) return;
        pick.hide();
        throw error;
      },
    );
  const [answer] = await Promise.all([chosen, search]);
  return answer === 'file' || answer === 'folder' ? browse(model, answer === 'folder') : answer;
}
