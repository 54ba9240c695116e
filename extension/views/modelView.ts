import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { LayerKept } from '../../daemon/protocol/events.js';
import type { ModelSummary } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { bytes, count, shortCount, shortPercent } from '../../daemon/protocol/format.js';
import { bar } from './bar.js';
import { VIEWS, type LayerItem } from '../ids.js';
import { latestKept, prunes } from '../latestKept.js';
import { isModelText } from '../modelText.js';
import type { Runs } from '../runs.js';

type Row = { kind: 'model' } | ({ kind: 'layer'; index: number } & LayerItem) | { kind: 'note'; text: string };

const MODEL: Row = { kind: 'model' };

/** The layers of the model in front (or last inspected) and what the latest run of it keeps. Rows without ids, as in RunsView. */
export class ModelView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  #summary: ModelSummary | null = null;
  #rows: Row[] = [];
  #kept = new Map<string, LayerKept>();
  #run: string | null = null;
  #changed = new vscode.EventEmitter<Row | undefined>();
  #disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    private readonly daemon: Daemon,
    private readonly runs: Runs,
  ) {
    this.#disposables = [
      vscode.window.createTreeView(VIEWS.model, { treeDataProvider: this }),
      this.#changed,
      daemon.on('lc/events', ({ run, events }) => {
        if (run !== this.#run) return;
        for (const event of events)
          if (event.event === 'iteration' || event.event === 'done') this.#setKept(event.perLayer);
      }),
      runs.onDidChangeRun(({ before, after }) => {
        // A new run of the model in view takes over; a finished one brings its last numbers.
        if (after && (!before || before.state !== after.state)) void this.#loadKept();
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => this.#follow(editor)),
    ];
    this.#follow(vscode.window.activeTextEditor);
  }

  /** Path of the model in view. */
  get model(): string | undefined {
    return this.#summary?.path;
  }

  async inspect(model: string, options: { reveal?: boolean } = {}): Promise<void> {
    this.#show(await this.daemon.request('lc/inspect', { model }));
    this.#kept.clear();
    this.#changed.fire(undefined);
    await this.#loadKept();
    if (options.reveal) await vscode.commands.executeCommand(`${VIEWS.model}.focus`);
  }

  /** A prunable layer of a model, by the user's choice. */
  async pickLayer(model: string, title: string): Promise<string | undefined> {
    const summary = this.#summary?.path === model ? this.#summary : await this.daemon.request('lc/inspect', { model });
    const chosen = await vscode.window.showQuickPick(
      summary.layers
        .filter((layer) => layer.prunable > 0)
        .map((layer) => ({
          label: layer.name,
          description: vscode.l10n.t('{0}, {1} weights', layer.className, count(layer.prunable)),
        })),
      { title },
    );
    return chosen?.label;
  }

  getChildren(row?: Row): Row[] {
    if (!this.#summary) return [];
    if (row?.kind === 'model') return this.#rows;
    return row ? [] : [MODEL];
  }

  #show(summary: ModelSummary): void {
    const { path, layers, notes } = summary;
    this.#summary = summary;
    this.#rows = [
      ...layers.map((layer, index): Row => ({ kind: 'layer', index, model: path, layer: layer.name })),
      ...notes.map((text): Row => ({ kind: 'note', text })),
    ];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const summary = this.#summary!;
    if (row.kind === 'note') {
      const item = new vscode.TreeItem(row.text);
      item.iconPath = new vscode.ThemeIcon('info');
      item.tooltip = row.text;
      return item;
    }
    if (row.kind === 'model') {
      const item = new vscode.TreeItem(
        basename(summary.path) === 'model.json' ? basename(dirname(summary.path)) : basename(summary.path),
        vscode.TreeItemCollapsibleState.Expanded,
      );
      item.iconPath = new vscode.ThemeIcon('symbol-structure');
      item.description = vscode.l10n.t(
        '{0} weights · {1} · {2} FLOPs',
        count(summary.prunable || summary.params),
        bytes(summary.bytes),
        shortCount(summary.flops),
      );
      item.tooltip = vscode.workspace.asRelativePath(summary.path);
      item.contextValue = 'model';
      item.resourceUri = vscode.Uri.file(summary.path);
      return item;
    }
    const layer = summary.layers[row.index]!;
    const item = new vscode.TreeItem(layer.name);
    const kept = this.#kept.get(layer.name);
    const zeros = layer.zeros ?? 0;
    const share = kept
      ? kept.kept / Math.max(1, kept.weights)
      : zeros > 0 && layer.prunable > 0
        ? 1 - zeros / layer.prunable
        : null;
    item.description = layer.prunable
      ? share === null
        ? vscode.l10n.t('{0} weights', count(layer.prunable))
        : `${bar(share)} ${shortPercent(share)}`
      : layer.className;
    item.iconPath = new vscode.ThemeIcon(layer.prunable ? 'layers' : 'circle-small');
    item.contextValue = layer.prunable ? 'layer.prunable' : 'layer';
    const tooltip = new vscode.MarkdownString();
    tooltip.appendMarkdown(`**${layer.className}**\n\n`);
    const line = (name: string, value: string) => tooltip.appendMarkdown(`- ${name}: ${value}\n`);
    if (layer.outputShape) line(vscode.l10n.t('Output'), layer.outputShape.map((n) => n ?? '?').join(' × '));
    line(vscode.l10n.t('Parameters'), count(layer.params));
    if (layer.prunable)
      line(
        vscode.l10n.t('Prunable'),
        vscode.l10n.t(
          '{0} ({1} of the model)',
          count(layer.prunable),
          shortPercent(layer.prunable / Math.max(1, summary.prunable)),
        ),
      );
    line('FLOPs', count(layer.flops));
    if (kept) line(vscode.l10n.t('Kept'), vscode.l10n.t('{0} of {1}', count(kept.kept), count(kept.weights)));
    item.tooltip = tooltip;
    item.accessibilityInformation = {
      label: `${layer.name}, ${layer.className}, ${share === null ? count(layer.prunable) : vscode.l10n.t('{0} kept', shortPercent(share))}`,
    };
    return item;
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #follow(editor: vscode.TextEditor | undefined): void {
    const document = editor?.document;
    if (document?.uri.scheme !== 'file' || document.languageId !== 'json' || document.fileName === this.model) return;
    if (!isModelText(document.getText(new vscode.Range(0, 0, 200, 0)).slice(0, 4096))) return;
    void this.inspect(document.fileName).catch((error: Error) => this.daemon.log.warn(error.message));
  }

  #setKept(layers: readonly LayerKept[]): void {
    for (const layer of layers) this.#kept.set(layer.layer, layer);
    this.#changed.fire(undefined);
  }

  /** The latest run of the model in view, from its log. */
  async #loadKept(): Promise<void> {
    const summary = this.#summary;
    if (!summary) return;
    const latest = this.runs.all.find((run) => prunes(run, summary.path));
    this.#run = latest?.run ?? null;
    if (!latest) return;
    try {
      const kept = await latestKept(this.daemon, latest.run);
      if (kept && this.#summary === summary) this.#setKept(kept);
    } catch (error) {
      this.daemon.log.debug((error as Error).message);
    }
  }
}
