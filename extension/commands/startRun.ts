/** Starts a plan: saves it, makes sure that its data is installed, and shows the monitor. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { RunOn } from '../../daemon/protocol/runs/runOn.js';
import { ensureData } from '../data/ensureData.js';
import { pathOf, sameFileAs, type AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';
import { engineSetting, openMonitorOnRun } from '../settings.js';
import { takeBack } from '../takeBack.js';
import { changeData } from './makePlan.js';
import { openPlan } from './planFiles.js';

const planName = (path: string) => basename(path).replace(/\.prune\.jsonc?$/, '');

/** What is asked of a run beside its plan. */
export interface RunWish {
  readonly compare?: ('magnitude' | 'gradual')[] | undefined;
  readonly path?: { maxErrorIncrease?: string } | undefined;
  /** Where it executes, in place of the plan's `runOn`. */
  readonly runOn?: RunOn | undefined;
}

export async function startRun(services: Services, planPath: AbsolutePath, wish: RunWish = {}): Promise<void> {
  const { daemon, monitor } = services;
  const { compare, path, runOn } = wish;
  // The daemon reads the file: what is on screen must be on disk.
  const isPlan = sameFileAs(planPath);
  for (const document of vscode.workspace.textDocuments)
    if (document.uri.scheme === 'file' && document.isDirty && isPlan(pathOf(document.uri))) await document.save();
  if (!(await ensureData(services, planPath, vscode.l10n.t('Install and Run')))) return;
  const engine = engineSetting();
  const begin = async () =>
    (
      await daemon.request('lc/start', {
        planPath,
        ...(engine !== 'auto' && { engine }),
        ...(compare && { compare }),
        ...(path && { path }),
        ...(runOn !== undefined && { runOn }),
      })
    ).folder;
  try {
    if (openMonitorOnRun()) await monitor.showStarting(planName(planPath), begin, takeBack(daemon));
    else await begin();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'data-missing') throw error;
    const show = vscode.l10n.t('Open Plan');
    const choose = vscode.l10n.t('Choose Data...');
    const choice = await vscode.window.showErrorMessage((error as Error).message, choose, show);
    if (choice === show) await openPlan(planPath);
    if (choice === choose && (await changeData(services, planPath))) await startRun(services, planPath, wish);
  }
}
