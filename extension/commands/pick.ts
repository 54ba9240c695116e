import { basename } from 'node:path';
import * as vscode from 'vscode';
import { MODEL_EDITOR, type RunItem } from '../ids.js';
import { pathOf, type AbsolutePath } from '../paths.js';
import { isSweepFile } from '../../daemon/protocol/runs/sweepName.js';
import { isModelText } from '../modelText.js';
import { displayName } from '../monitor/runView.js';
import type { Run } from '../runs.js';
import { runDescription, runIcon } from '../views/runText.js';

const EXCLUDED = '**/{node_modules,.lcprune,.git}/**';
const MODEL_NAMES = '**/*.{json,keras,h5,hdf5,onnx}';
/** Models that are none here: the daemon says of each what it is and what leads here. */
const OTHER_MODELS = '**/*.{tflite,pt,pth,safetensors,pb}';
const FILES = 500;
/** Enough characters of a file to recognise a model. */
const HEAD = 4096;

const shortPath = (path: string): string => vscode.workspace.asRelativePath(path);

/** The file in front, if `accept` takes it. */
const activeFile = (accept: (path: string) => boolean): AbsolutePath | undefined => {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === 'file' && accept(pathOf(uri)) ? pathOf(uri) : undefined;
};

export const isPlanPath = (path: string): boolean => /\.prune\.jsonc?$/.test(path);

/** Plan files of the workspace, the one in front first. */
export async function findPlans(): Promise<AbsolutePath[]> {
  const found = await vscode.workspace.findFiles('**/*.prune.{json,jsonc}', EXCLUDED, FILES);
  return found.map(pathOf).sort();
}

/** Sweep files of the workspace. */
export async function findSweeps(): Promise<AbsolutePath[]> {
  const found = await vscode.workspace.findFiles('**/*.sweep.{json,jsonc}', EXCLUDED, FILES);
  return found.map(pathOf).sort();
}

async function looksLikeModel(path: AbsolutePath): Promise<boolean> {
  if (!path.endsWith('.json')) return true;
  if (isPlanPath(path) || isSweepFile(path) || basename(path) === 'package.json') return false;
  const { open } = await import('node:fs/promises');
  const file = await open(path, 'r').catch(() => null);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return isModelText(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

export async function findModels(): Promise<AbsolutePath[]> {
  const found = await vscode.workspace.findFiles(MODEL_NAMES, EXCLUDED, FILES);
  const checked = await Promise.all(
    found.map(pathOf).map(async (path) => ((await looksLikeModel(path)) ? path : null)),
  );
  return checked.filter((path) => path !== null).sort();
}

async function pickFile(paths: AbsolutePath[], title: string, none: string): Promise<AbsolutePath | undefined> {
  if (paths.length === 0) {
    void vscode.window.showInformationMessage(none);
    return undefined;
  }
  if (paths.length === 1) return paths[0];
  const chosen = await vscode.window.showQuickPick(
    paths.map((path) => ({
      label: basename(path),
      description: shortPath(path).replace(/[^/\\]+$/, ''),
      path,
    })),
    { title, matchOnDescription: true },
  );
  return chosen?.path;
}

/** A plan: the one in front, the only one, or the user's choice. */
export const pickPlan = async (title: string): Promise<AbsolutePath | undefined> =>
  activeFile(isPlanPath) ??
  pickFile(
    await findPlans(),
    title,
    vscode.l10n.t('There is no plan (*.prune.json) in this folder yet. "LC Prune: Create Plan..." makes one.'),
  );

/** A sweep: the one in front, the only one, or the user's choice. */
export const pickSweep = async (title: string): Promise<AbsolutePath | undefined> =>
  activeFile(isSweepFile) ??
  pickFile(
    await findSweeps(),
    title,
    vscode.l10n.t(
      'There is no sweep (*.sweep.json) in this folder yet. It names a "plan", and under "over" keys of the plan with their values.',
    ),
  );

/** The model whose editor is in front, of whatever kind. */
export function modelInFront(): AbsolutePath | undefined {
  const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
  if (input instanceof vscode.TabInputCustom && input.viewType === MODEL_EDITOR) return pathOf(input.uri);
  const front = vscode.window.activeTextEditor?.document;
  if (front?.uri.scheme === 'file' && !isPlanPath(pathOf(front.uri)) && isModelText(headOf(front)))
    return pathOf(front.uri);
  return undefined;
}

/** A model: the one in front, the only one, or the user's choice. */
export async function pickModel(title: string): Promise<AbsolutePath | undefined> {
  const front = modelInFront();
  if (front) return front;
  const models = await findModels();
  if (models.length > 0) return pickFile(models, title, '');
  void tellOfOthers();
  return undefined;
}

/** There is no model here. If there are models of other frameworks, shows how to convert them. */
async function tellOfOthers(): Promise<void> {
  const [other] = await vscode.workspace.findFiles(OTHER_MODELS, EXCLUDED, 1);
  if (!other) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('No model file was found in this folder (.onnx, .keras, .h5, model.json).'),
    );
    return;
  }
  const why = vscode.l10n.t('Why?');
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t(
      'No model that can be pruned was found in this folder (.onnx, .keras, .h5, model.json); {0} is of another kind.',
      shortPath(pathOf(other)),
    ),
    why,
  );
  if (choice === why) await vscode.commands.executeCommand('lcPrune.inspectModel', { model: pathOf(other) });
}

export const headOf = (document: vscode.TextDocument): string =>
  document.getText(new vscode.Range(0, 0, 200, 0)).slice(0, HEAD);

/** The runs among what is selected in a tree or a table. */
export const selectedRuns = (selected: readonly unknown[]): Run[] =>
  selected
    .filter((item): item is RunItem => typeof item === 'object' && item !== null && 'summary' in item)
    .map(({ summary }) => summary);

const runItem = (summary: Run) => ({
  label: `$(${runIcon(summary).id}) ${displayName(summary)}`,
  description: runDescription(summary),
  run: summary,
});

/** One of these runs; asks only where there is a choice. */
export async function pickRun(runs: Run[], title: string, none: string): Promise<Run | undefined> {
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(none);
    return undefined;
  }
  if (runs.length === 1) return runs[0];
  return (await vscode.window.showQuickPick(runs.map(runItem), { title, matchOnDescription: true }))?.run;
}

export async function pickRuns(runs: Run[], shown: readonly string[], title: string): Promise<Run[] | undefined> {
  const chosen = await vscode.window.showQuickPick(
    runs.map((run) => ({ ...runItem(run), picked: shown.includes(run.run) })),
    // A run that progresses meanwhile must not close a list in which several are ticked.
    { title, canPickMany: true, matchOnDescription: true, ignoreFocusOut: true },
  );
  return chosen?.map((item) => item.run);
}
