/** Asks where a run executes: here, or in a place that the plan or the settings name. The last answer for a plan comes first. */
import { parse } from 'jsonc-parser';
import * as vscode from 'vscode';
import type { RunOn } from '../../daemon/protocol/runs/runOn.js';
import { uriOf, type AbsolutePath } from '../paths.js';
import type { Services } from '../services.js';
import { placesSetting, SETTINGS } from '../settings.js';

export interface Place {
  /** What is remembered: "local", "plan", or "setting" and a name. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** undefined: it cannot be used, for the reason in `problem`. */
  readonly runOn: RunOn | undefined;
  readonly problem?: string;
}

/** Reads a value of a plan or of the settings. */
export type ReadRunOn = (value: unknown) => { readonly runOn: RunOn } | { readonly problem: string };

/** "ssh box {cmd}", "slurm: partition short, gpus 1". */
function runnerText(runOn: RunOn): string {
  if (typeof runOn === 'string') return runOn;
  if ('command' in runOn) return runOn.command;
  const settings = Object.entries(runOn.slurm).filter(([, value]) => typeof value !== 'object');
  return ['slurm', settings.map(([key, value]) => `${key} ${value}`).join(', ')].filter(Boolean).join(': ');
}

/**
 * @param planned the plan's `runOn`; undefined: it has none. @param named places of the settings, by name.
 * @param last id of the place that was chosen before.
 * @returns the places in the order in which they are offered.
 */
export function placesOf(
  planned: unknown,
  named: Readonly<Record<string, unknown>>,
  read: ReadRunOn,
  last?: string,
): Place[] {
  const place = (id: string, label: string, value: unknown): Place => {
    const found = read(value);
    return 'runOn' in found
      ? { id, label, description: runnerText(found.runOn), runOn: found.runOn }
      : { id, label, description: '', runOn: undefined, problem: found.problem };
  };
  const all = [
    { id: 'local', label: vscode.l10n.t('This machine'), description: '', runOn: 'local' as const },
    ...(planned === undefined || planned === 'local'
      ? []
      : [place('plan', vscode.l10n.t('As the plan says'), planned)]),
    ...Object.entries(named).map(([name, value]) => place(`setting ${name}`, name, value)),
  ];
  return all.sort((a, b) => Number(b.id === last) - Number(a.id === last));
}

/** The last answers, by plan. */
const LAST = 'lcPrune.lastPlaces';

/** Where a plan shall execute. @returns undefined: nothing was chosen. */
export async function askPlace(services: Services, plan: AbsolutePath): Promise<RunOn | undefined> {
  const text = (await vscode.workspace.openTextDocument(uriOf(plan))).getText();
  const { runOn: planned } = (parse(text) as { runOn?: unknown } | undefined) ?? {};
  return choosePlace(services, { key: plan, planned, title: vscode.l10n.t('Run {0} on', vscode.workspace.asRelativePath(plan)) }); // prettier-ignore
}

interface PlaceQuestion {
  /** Under which the answer is remembered. */
  readonly key: AbsolutePath;
  /** The `runOn` of the plan. */
  readonly planned: unknown;
  readonly title: string;
}

/** @returns undefined: nothing was chosen. */
export async function choosePlace(
  { context }: Pick<Services, 'context'>,
  { key, planned, title }: PlaceQuestion,
): Promise<RunOn | undefined> {
  const { issueText, RunOn } = await import('../client.js');
  const read: ReadRunOn = (value) => {
    const found = RunOn.safeParse(value);
    return found.success ? { runOn: found.data } : { problem: issueText(found.error, value) };
  };
  const remembered = context.workspaceState.get<Record<string, string>>(LAST) ?? {};
  const places = placesOf(planned, placesSetting(), read, remembered[key]);
  const items = places.map(({ label, description, problem, id }) => ({
    id,
    label: problem === undefined ? label : `$(error) ${label}`,
    description: id === remembered[key] ? [description, vscode.l10n.t('last time')].filter(Boolean).join(' · ') : description, // prettier-ignore
    ...(problem !== undefined && { detail: problem }),
  }));
  const add = { id: '', label: `$(gear) ${vscode.l10n.t('Places in the Settings...')}`, description: '' };
  const chosen = await vscode.window.showQuickPick([...items, add], { title, matchOnDescription: true });
  if (!chosen) return undefined;
  const place = places.find(({ id }) => id === chosen.id);
  if (place?.runOn === undefined) {
    await vscode.commands.executeCommand('workbench.action.openSettings', `@id:${SETTINGS.places}`);
    return undefined;
  }
  await context.workspaceState.update(LAST, { ...remembered, [key]: place.id });
  return place.runOn;
}
