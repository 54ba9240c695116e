import * as vscode from 'vscode';
import type { SweepSummary } from '../../daemon/protocol/runs/sweep.js';
import { VIEWS, type PlanItem, type RunItem, type SweepItem } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import { folderOf, type AbsolutePath } from '../paths.js';
import type { Run, Runs } from '../runs.js';
import type { Sweeps } from '../sweeps.js';
import { runDescription, runIcon, runTooltip } from './runText.js';
import { sweepDescription, sweepIcon, sweepName } from './sweepText.js';

/** A plan with its sweeps and its other runs. */
interface PlanNode extends PlanItem {
  /** Another plan has the same name. */
  ambiguous: boolean;
  runs: Run[];
  sweeps: SweepNode[];
}
/** A sweep with its runs. */
interface SweepNode extends SweepItem {
  runs: Run[];
}
export type RunNode = PlanNode | SweepNode | RunItem;

const isPlan = (node: RunNode): node is PlanNode => 'kind' in node && node.kind === 'plan';
const isSweep = (node: RunNode): node is SweepNode => 'kind' in node && node.kind === 'sweep';

/** Plans of several folders may share a name; runs of one file may belong to several plans (its path, its baselines). */
const planKey = ({ plan, planFile }: Pick<Run, 'plan' | 'planFile'>): string => `${planFile ?? ''}\0${plan}`;

/**
 * Runs by plan and sweep, newest first; a run that only made progress redraws its own row. Rows are the same objects at every refresh and have no
 * `id`: if two refreshes of the editor overlap, VS Code takes an id that it meets twice for an error and draws no further change of the tree.
 */
export class RunsView implements vscode.TreeDataProvider<RunNode>, vscode.Disposable {
  #changed = new vscode.EventEmitter<RunNode | undefined>();
  #items = new Map<AbsolutePath, RunItem>();
  #plans = new Map<string, PlanNode>();
  #sweeps = new Map<AbsolutePath, SweepNode>();
  #disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    private readonly runs: Runs,
    private readonly sweeps: Sweeps,
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
      sweeps.onDidChange(() => this.#changed.fire(undefined)),
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
    if (!node) return this.#roots();
    if (isSweep(node)) return node.runs.map((summary) => this.#item(summary));
    if (!isPlan(node)) return [];
    const others = node.runs.filter((run) => this.sweeps.of(run) === undefined);
    return [...node.sweeps, ...others.map((summary) => this.#item(summary))];
  }

  #roots(): PlanNode[] {
    const { all } = this.runs;
    const plans = new Map<string, PlanNode>();
    const sweeps = new Map<AbsolutePath, SweepNode>();
    for (const summary of all) {
      const key = planKey(summary);
      const { plan, planFile: file } = summary;
      let item = plans.get(key);
      if (!item) {
        const empty = { kind: 'plan' as const, plan, file, ambiguous: false, runs: [], sweeps: [] };
        item = Object.assign(this.#plans.get(key) ?? {}, empty);
        plans.set(key, item);
      }
      item.runs.push(summary);
      const sweep = this.sweeps.of(summary);
      if (sweep) this.#place(summary, sweep, item, sweeps);
    }
    this.#plans = plans;
    this.#sweeps = sweeps;
    const named = new Map<string, number>();
    for (const { plan } of plans.values()) named.set(plan, (named.get(plan) ?? 0) + 1);
    for (const item of plans.values()) item.ambiguous = named.get(item.plan)! > 1;
    const known = new Set(all.map(({ run }) => run));
    for (const run of this.#items.keys()) if (!known.has(run)) this.#items.delete(run);
    return [...plans.values()];
  }

  /** A sweep is under the plan of its newest run: baselines of a plan have the same file. */
  #place(run: Run, summary: SweepSummary, plan: PlanNode, sweeps: Map<AbsolutePath, SweepNode>): void {
    let node = sweeps.get(summary.sweep);
    if (!node) {
      node = Object.assign(this.#sweeps.get(summary.sweep) ?? {}, { kind: 'sweep' as const, sweep: summary, runs: [] });
      sweeps.set(summary.sweep, node);
      plan.sweeps.push(node);
    }
    node.runs.push(run);
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    if (isPlan(node)) return this.#planItem(node);
    if (isSweep(node)) return this.#sweepItem(node);
    const { summary } = node;
    const values = this.sweeps.valuesOf(summary.run);
    const item = new vscode.TreeItem(values ?? displayName(summary).replace(`${summary.plan} `, ''));
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

  #planItem(node: PlanNode): vscode.TreeItem {
    const item = new vscode.TreeItem(node.plan, vscode.TreeItemCollapsibleState.Expanded);
    item.iconPath = new vscode.ThemeIcon('target');
    const number = node.runs.length === 1 ? vscode.l10n.t('1 run') : vscode.l10n.t('{0} runs', node.runs.length);
    const folder = node.ambiguous && node.file && vscode.workspace.asRelativePath(folderOf(node.file));
    item.description = folder ? `${folder} · ${number}` : number;
    if (node.file) item.tooltip = vscode.workspace.asRelativePath(node.file);
    item.contextValue = node.file ? 'plan.file' : 'plan';
    return item;
  }

  #sweepItem({ sweep }: SweepNode): vscode.TreeItem {
    const progress = this.sweeps.progress(sweep);
    const item = new vscode.TreeItem(sweepName(sweep), vscode.TreeItemCollapsibleState.Collapsed);
    item.description = sweepDescription(progress);
    item.iconPath = sweepIcon(progress);
    item.tooltip = sweep.planPath;
    item.contextValue = `sweep.${progress.state}`;
    return item;
  }

  /** Tooltips are built on request. */
  resolveTreeItem(item: vscode.TreeItem, node: RunNode): vscode.TreeItem {
    if (!isPlan(node) && !isSweep(node)) item.tooltip = runTooltip(node.summary);
    return item;
  }

  getParent(node: RunNode): RunNode | undefined {
    if (isPlan(node)) return undefined;
    const plans = this.#roots();
    if (isSweep(node)) return plans.find(({ sweeps }) => sweeps.includes(node));
    const sweep = [...this.#sweeps.values()].find(({ runs }) => runs.includes(node.summary));
    return sweep ?? plans.find(({ runs }) => runs.includes(node.summary));
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
