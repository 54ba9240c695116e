import * as vscode from 'vscode';
import { VIEWS, type PlanItem, type RunItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import { folderOf, type AbsolutePath } from '../paths.js';
import type { Run, Runs } from '../runs.js';
import { runDescription, runIcon, runTooltip } from './runText.js';

/** A plan with its runs, or a run. */
interface PlanNode extends PlanItem {
  /** Another plan has the same name. */
  ambiguous: boolean;
  runs: Run[];
}
export type RunNode = PlanNode | RunItem;

const isPlan = (node: RunNode): node is PlanNode => 'plan' in node;

/** Plans of several folders may share a name; runs of one file may belong to several plans (its path, its baselines). */
const planKey = ({ plan, planFile }: Run): string => `${planFile ?? ''}\0${plan}`;

/**
 * Runs by plan, newest first; a run that only made progress redraws its own row. Rows are the same objects at every refresh and have no `id`: if two
 * refreshes of the editor overlap, VS Code takes an id that it meets twice for an error and draws no further change of the tree.
 */
export class RunsView implements vscode.TreeDataProvider<RunNode>, vscode.Disposable {
  #changed = new vscode.EventEmitter<RunNode | undefined>();
  #items = new Map<AbsolutePath, RunItem>();
  #plans = new Map<string, PlanNode>();
  #disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    private readonly runs: Runs,
    start: () => void,
  ) {
    const view = vscode.window.createTreeView<RunNode>(VIEWS.runs, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.#disposables = [
      view,
      view.onDidChangeVisibility(({ visible }) => visible && start()),
      runs.onDidReset(() => this.#changed.fire(undefined)),
      runs.onDidChangeRun(({ run, before, after }) => {
        const item = this.#items.get(run);
        if (!item || !before || !after) return this.#changed.fire(undefined);
        item.summary = after;
        this.#changed.fire(item);
      }),
      this.#changed,
    ];
    if (view.visible) start();
  }

  getChildren(node?: RunNode): RunNode[] {
    if (node) return isPlan(node) ? node.runs.map((summary) => this.#item(summary)) : [];
    const { all } = this.runs;
    const plans = new Map<string, PlanNode>();
    for (const summary of all) {
      const key = planKey(summary);
      const { plan, planFile: file } = summary;
      let item = plans.get(key);
      if (!item) {
        item = Object.assign(this.#plans.get(key) ?? {}, { kind: 'plan' as const, plan, file, ambiguous: false, runs: [] });
        plans.set(key, item);
      }
      item.runs.push(summary);
    }
    this.#plans = plans;
    const named = new Map<string, number>();
    for (const { plan } of plans.values()) named.set(plan, (named.get(plan) ?? 0) + 1);
    for (const item of plans.values()) item.ambiguous = named.get(item.plan)! > 1;
    const known = new Set(all.map(({ run }) => run));
    for (const run of this.#items.keys()) if (!known.has(run)) this.#items.delete(run);
    return [...plans.values()];
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    if (isPlan(node)) {
      const item = new vscode.TreeItem(node.plan, vscode.TreeItemCollapsibleState.Expanded);
      item.iconPath = new vscode.ThemeIcon('target');
      const number = node.runs.length === 1 ? vscode.l10n.t('1 run') : vscode.l10n.t('{0} runs', node.runs.length);
      const folder = node.ambiguous && node.file && vscode.workspace.asRelativePath(folderOf(node.file));
      item.description = folder ? `${folder} · ${number}` : number;
      if (node.file) item.tooltip = vscode.workspace.asRelativePath(node.file);
      item.contextValue = node.file ? 'plan.file' : 'plan';
      return item;
    }
    const { summary } = node;
    const item = new vscode.TreeItem(displayName(summary).replace(`${summary.plan} `, ''));
    item.description = [summary.method === 'lc' ? null : summary.method, runDescription(summary)]
      .filter(Boolean)
      .join(' · ');
    item.iconPath = runIcon(summary);
    // A queue's run cannot pause: its place would wait with it.
    item.contextValue = `run.${summary.state}${summary.job ? '.job' : ''}`;
    item.accessibilityInformation = { label: `${displayName(summary)}, ${summary.state}, ${item.description}` };
    item.command = { command: 'lcPrune.openMonitor', title: vscode.l10n.t('Open Monitor'), arguments: [node] };
    return item;
  }

  /** Tooltips are built on request. */
  resolveTreeItem(item: vscode.TreeItem, node: RunNode): vscode.TreeItem {
    if (!isPlan(node)) item.tooltip = runTooltip(node.summary);
    return item;
  }

  getParent(node: RunNode): RunNode | undefined {
    return isPlan(node)
      ? undefined
      : this.getChildren().find((plan) => isPlan(plan) && plan.runs.includes(node.summary));
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #item(summary: Run): RunItem {
    const item = this.#items.get(summary.run) ?? { summary };
    item.summary = summary;
    this.#items.set(summary.run, item);
    return item;
  }
}
