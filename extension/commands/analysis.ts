import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { ResultDocuments } from '../analysis/resultDocument.js';
import { runCli } from '../analysis/runCli.js';
import { ensureData } from '../data/ensureData.js';
import { showStaticPage } from '../page/staticPage.js';
import { pathOf, uriOf, type AbsolutePath } from '../paths.js';
import { showSensitivityPage } from '../sensitivity/sensitivityPage.js';
import type { Services } from '../services.js';
import type { CommandTable } from './command.js';
import { pickPlan } from './pick.js';

type AnalysisCommands = Pick<CommandTable, 'lcPrune.previewData' | 'lcPrune.evaluate' | 'lcPrune.sensitivity'>;

const shortName = (path: AbsolutePath) => vscode.workspace.asRelativePath(path);

/** A plan, and the workspace folder that it is in. */
interface Ready {
  readonly plan: AbsolutePath;
  readonly folder: AbsolutePath;
}

/** Analyses of a plan without training: each runs the command of that name of the command line. */
export function analysisCommands(services: Services): AnalysisCommands {
  const { context } = services;
  const documents = new ResultDocuments();
  context.subscriptions.push(documents);

  /** Saves the plan and installs its data. @returns it with its folder; undefined if the user cancelled. */
  async function ready(given: AbsolutePath | undefined, question: string): Promise<Ready | undefined> {
    const plan = given ?? (await pickPlan(question));
    const folder = plan && vscode.workspace.getWorkspaceFolder(uriOf(plan));
    if (!folder) return undefined;
    const document = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && pathOf(uri) === plan);
    if (document?.isDirty) await document.save();
    if (!(await ensureData(services, plan, vscode.l10n.t('Install')))) return undefined;
    return { plan, folder: pathOf(folder.uri) };
  }

  async function showText(name: 'evaluate' | 'sensitivity', shown: string, { plan, folder }: Ready): Promise<void> {
    const text = await runCli(services, [name, plan], { title: shown, folder });
    await documents.show(`${shown.replaceAll('/', '-')}.txt`, text);
  }

  return {
    'lcPrune.evaluate': {
      needs: 'trust',
      async run(argument) {
        const found = await ready(argument?.plan, vscode.l10n.t('Evaluate the model of which plan?'));
        if (found) await showText('evaluate', vscode.l10n.t('Evaluation of {0}', shortName(found.plan)), found);
      },
    },
    'lcPrune.sensitivity': {
      needs: 'trust',
      async run(argument) {
        const found = await ready(argument?.plan, vscode.l10n.t('The sensitivity of the layers of which plan?'));
        if (!found) return;
        const title = vscode.l10n.t('Sensitivity of {0}', shortName(found.plan));
        showSensitivityPage(services, found.plan, () => showText('sensitivity', title, found));
      },
    },
    'lcPrune.previewData': {
      needs: 'trust',
      async run(argument) {
        const found = await ready(argument?.plan, vscode.l10n.t('The data of which plan?'));
        if (!found) return;
        const title = vscode.l10n.t('Data of {0}', shortName(found.plan));
        const storage = pathOf(context.globalStorageUri);
        await mkdir(storage, { recursive: true });
        const folder = await mkdtemp(join(storage, 'samples-'));
        try {
          const page = join(folder, 'samples.html');
          await runCli(services, ['preview', found.plan, '--samples', '64', '--out', page], {
            title,
            folder: found.folder,
          });
          showStaticPage(title, await readFile(page, 'utf8'));
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    },
  };
}
