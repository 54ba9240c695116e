import * as vscode from 'vscode';

/** Every setting, by its name in package.json. */
export const SETTINGS = {
  nodePath: 'lcPrune.nodePath',
  enginePath: 'lcPrune.enginePath',
  engine: 'lcPrune.engine',
  places: 'lcPrune.places',
  openMonitorOnRun: 'lcPrune.monitor.openOnRun',
  notifyAfterSeconds: 'lcPrune.notifyAfterSeconds',
  keepTraining: 'lcPrune.keepTraining',
  autoResume: 'lcPrune.autoResume',
} as const;

const read = <T>(name: string, fallback: T): T => vscode.workspace.getConfiguration().get<T>(name) ?? fallback;

export const nodePathSetting = (): string => read(SETTINGS.nodePath, '').trim();
/** Folder with an optional engine in its node_modules; empty when not set. */
export const enginePathSetting = (): string => read(SETTINGS.enginePath, '').trim();
/** "auto", or an engine's id. */
export const engineSetting = (): string => read(SETTINGS.engine, 'auto');
/** Places of "Run On..." by name, as a plan's `runOn` has them; not checked. */
export const placesSetting = (): Record<string, unknown> => read(SETTINGS.places, {});
export const openMonitorOnRun = (): boolean => read(SETTINGS.openMonitorOnRun, true);
export const notifyAfterSeconds = (): number => read(SETTINGS.notifyAfterSeconds, 60);
/** Whether training continues when the window is closed. */
export const keepTraining = (): boolean => read(SETTINGS.keepTraining, true);
/** Whether runs that were interrupted while no window looked after them resume without a question. */
export const autoResume = (): boolean => read(SETTINGS.autoResume, false);

export const setEngine = (engine: string): Thenable<void> =>
  vscode.workspace
    .getConfiguration()
    .update(
      SETTINGS.engine,
      engine,
      vscode.workspace.workspaceFolders ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
    );
