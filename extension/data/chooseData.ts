import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';
import { showDataPage, type ChosenData } from './dataPage.js';
import { ensurePackages } from './ensureData.js';
import { pickData } from './pickData.js';

/**
 * Data for a model, picked and previewed: one question and one page.
 * @param planPath of an existing plan; without it, the data is for a new plan beside the model.
 * @returns undefined if the user cancelled. @throws the error of the daemon's search.
 */
export async function chooseData(
  services: Services,
  { model, planPath, title }: { model: AbsolutePath; planPath?: AbsolutePath; title: string },
): Promise<ChosenData | undefined> {
  for (;;) {
    const picked = await pickData(services, { model, planPath, title });
    if (!picked) return undefined;
    const { data, name, missing } = picked;
    const ready = !missing || (await ensurePackages(services, missing.packages, missing.folder, vscode.l10n.t('Install'))); // prettier-ignore
    if (!ready) return undefined;
    const chosen = await showDataPage(services, { model, modelName: basename(model), data, name, planPath });
    if (chosen !== 'other') return chosen;
  }
}
