import * as vscode from 'vscode';
import type { EngineState, Result } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { byUse, isUsed } from '../engine/byUse.js';
import { bytes, count } from '../../daemon/protocol/format.js';
import { VIEWS } from '../ids.js';
import { isActive, type Runs } from '../runs.js';
import { engineSetting, SETTINGS } from '../settings.js';

type Row = { kind: 'engine'; engine: EngineState } | { kind: 'fact'; label: string; value: string; icon: string };

/** The engine that trains, its device and why it was chosen; the other engines; the current speed. */
export class EngineView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  #engines: EngineState[] | null = null;
  #loading = false;
  #memory: Result<'lc/memory'> | null = null;
  #changed = new vscode.EventEmitter<void>();
  #disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    private readonly daemon: Daemon,
    private readonly runs: Runs,
  ) {
    const view = vscode.window.createTreeView(VIEWS.engine, { treeDataProvider: this });
    let last = 0;
    this.#disposables = [
      view,
      this.#changed,
      daemon.onDidChangeState((state) => {
        this.#memory = null;
        if (state.kind === 'ready') this.#engines = null;
        this.#changed.fire();
      }),
      runs.onDidChangeRun(({ before, after }) => {
        // The speed of a running run, at most once a second.
        if (before?.state === after?.state && Date.now() - last < 1000) return;
        last = Date.now();
        if (view.visible) void this.#loadMemory();
      }),
      view.onDidChangeVisibility(({ visible }) => {
        if (visible && daemon.state.kind === 'ready') void this.#loadMemory();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SETTINGS.engine)) this.#changed.fire();
      }),
    ];
  }

  getChildren(row?: Row): Row[] {
    if (row || this.daemon.state.kind !== 'ready') return [];
    if (!this.#engines) {
      // Probing loads native libraries in a child process: it is slow, so the rows are added later.
      void this.#load();
      return [{ kind: 'fact', label: vscode.l10n.t('Looking for engines...'), value: '', icon: 'loading~spin' }];
    }
    const active = this.runs.all.find(isActive);
    const used = active && this.#memoryOf(active.run);
    const { node, session } = this.daemon.state;
    const [first, ...others] = byUse(this.#engines, engineSetting()).map((engine): Row => ({ kind: 'engine', engine }));
    return [
      ...(first ? [first] : []),
      ...(active?.samplesPerSecond
        ? [
            {
              kind: 'fact' as const,
              label: vscode.l10n.t('Throughput'),
              value: vscode.l10n.t('{0} samples/s', count(Math.round(active.samplesPerSecond))),
              icon: 'dashboard',
            },
          ]
        : []),
      ...(used ? [{ kind: 'fact' as const, label: vscode.l10n.t('Memory'), value: used, icon: 'chip' }] : []),
      {
        kind: 'fact',
        label: vscode.l10n.t('Daemon'),
        value: [
          vscode.l10n.t(
            '{0}, process {1} ({2})',
            session.process.hello.version,
            session.process.hello.pid,
            node.origin,
          ),
          ...(this.#memory ? [bytes(this.#memory.daemon)] : []),
        ].join(' · '),
        icon: 'server-process',
      },
      ...others,
    ];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (row.kind === 'fact') {
      const item = new vscode.TreeItem(row.label);
      item.description = row.value;
      item.iconPath = new vscode.ThemeIcon(row.icon);
      return item;
    }
    const { engine } = row;
    const setting = engineSetting();
    const used = isUsed(engine, setting);
    const item = new vscode.TreeItem(engine.name);
    item.description = [
      engine.device,
      used ? (setting === 'auto' ? vscode.l10n.t('automatic') : vscode.l10n.t('chosen')) : '',
    ]
      .filter(Boolean)
      .join(' · ');
    item.iconPath = used
      ? new vscode.ThemeIcon('check', new vscode.ThemeColor('testing.iconPassed'))
      : new vscode.ThemeIcon(engine.available ? 'circle-outline' : 'circle-slash');
    item.tooltip = engine.reason;
    item.contextValue = 'engine';
    return item;
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** The memory of a run's trainer: "412 MB", and on the device if that is known. */
  #memoryOf(run: string): string | undefined {
    const found = this.#memory?.runs.find((entry) => entry.folder === run);
    if (!found || found.resident === null) return undefined;
    return found.device === null
      ? bytes(found.resident)
      : vscode.l10n.t('{0}, {1} on the device', bytes(found.resident), bytes(found.device));
  }

  async #loadMemory(): Promise<void> {
    this.#memory = await this.daemon.request('lc/memory', null).catch(() => null);
    this.#changed.fire();
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      this.#engines = await this.daemon.request('lc/engines', null);
    } catch (error) {
      this.daemon.log.warn((error as Error).message);
      this.#engines = [];
    } finally {
      this.#loading = false;
      this.#changed.fire();
    }
  }
}
