import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { ModelSummary } from '../../daemon/protocol/messages.js';
import type { Daemon } from '../daemon/daemon.js';
import { bytes, count, shortCount, shortPercent } from '../../daemon/protocol/format.js';
import { bar } from './bar.js';
import { setContext } from '../contexts.js';
import { CONTEXTS, VIEWS, type LayerItem } from '../ids.js';
import { KeptShares } from '../keptShares.js';
import { isModelText } from '../modelText.js';
import { pathOf, uriOf, type AbsolutePath } from '../paths.js';
import type { Runs } from '../runs.js';
import type { RunStream } from '../runStream.js';

type Row =
  | { kind: 'model'; model: AbsolutePath }
  | ({ kind: 'layer'; index: number } & LayerItem)
  | { kind: 'note'; text: string };

/** The layers of the model in front (or last inspected) and what its latest run keeps. Rows have no ids, as in RunsView. */
export class ModelView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  #summary: ModelSummary | null = null;
  #rows: Row[] = [];
  #kept: KeptShares | null = null;
  #changed = new vscode.EventEmitter<Row | undefined>();
  #disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    private readonly daemon: Daemon,
    private readonly runs: Runs,
    private readonly stream: RunStream,
  ) {
    this.#disposables = [
      vscode.window.createTreeView(VIEWS.model, { treeDataProvider: this }),
      this.#changed,
      vscode.window.onDidChangeActiveTextEditor((editor) => this.#follow(editor)),
    ];
    this.#follow(vscode.window.activeTextEditor);
  }

  /** Path of the model in view. */
  get model(): AbsolutePath | undefined {
    return this.#summary?.path;
  }

  async inspect(model: AbsolutePath, options: { reveal?: boolean } = {}): Promise<void> {
    this.#show(await this.daemon.request('lc/inspect', { model }));
    this.#changed.fire(undefined);
    if (options.reveal) await vscode.commands.executeCommand(`${VIEWS.model}.focus`);
  }

  /** Asks for a prunable layer of a model. */
  async pickLayer(model: AbsolutePath, title: string): Promise<string | undefined> {
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
    return row ? [] : [{ kind: 'model', model: this.#summary.path }];
  }

  #show(summary: ModelSummary): void {
    const { path, layers, notes } = summary;
    this.#summary = summary;
    setContext(CONTEXTS.hasModel, true);
    this.#kept?.dispose();
    this.#kept = new KeptShares(this.daemon, this.runs, this.stream, path);
    this.#kept.onDidChange(() => this.#changed.fire(undefined));
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
      item.resourceUri = uriOf(summary.path);
      return item;
    }
    const layer = summary.layers[row.index]!;
    const item = new vscode.TreeItem(layer.name);
    const kept = this.#kept?.layers.find((each) => each.layer === layer.name);
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
    this.#kept?.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #follow(editor: vscode.TextEditor | undefined): void {
    const document = editor?.document;
    if (document?.uri.scheme !== 'file' || document.languageId !== 'json' || pathOf(document.uri) === this.model)
      return;
    if (!isModelText(document.getText(new vscode.Range(0, 0, 200, 0)).slice(0, 4096))) return;
    void this.inspect(pathOf(document.uri)).catch((error: Error) => this.daemon.log.warn(error.message));
  }
}
