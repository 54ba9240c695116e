/**
 * Tools for the editor's assistants (vscode.lm) that need the editor; the MCP server has the others. A tool that starts training asks the user first
 * and states the cost. Tools that write or run something are rejected in Restricted Mode.
 */
import * as vscode from 'vscode';
import { LANGUAGE_TOOLS } from '../ids.js';
import { displayName } from '../monitor/runView.js';
import type { Services } from '../services.js';
import { engineSetting, openMonitorOnRun } from '../settings.js';
import { runDescription, stateName } from '../views/runText.js';
import type { Run } from '../runs.js';
import { takeBack } from '../takeBack.js';
import { budgetOf, modelNamed, planPruning, startPruning, type PruneInput, type Pruning } from './pruning.js';

interface Tool<T> {
  /** Whether the tool runs or writes something. */
  readonly needsTrust: boolean;
  /** The question that the user must confirm first, for tools that have one. Without side effects. */
  confirm?(input: T, token: vscode.CancellationToken): Promise<vscode.LanguageModelToolConfirmationMessages>;
  run(input: T, token: vscode.CancellationToken): Promise<string>;
}

/** How many runs are described to an assistant: the newest. */
const SHOWN = 20;

export function languageTools(services: Pick<Services, 'daemon' | 'runs' | 'monitor'>) {
  const { daemon, runs, monitor } = services;
  /** The plans that the user confirmed: what was shown is what is started. */
  const confirmed = new Map<string, Pruning>();

  const loaded = async () => {
    await daemon.session();
    if (runs.all.length === 0) await runs.load();
    return runs.all;
  };

  const pruneModel: Tool<PruneInput> = {
    needsTrust: true,
    async confirm(input, token) {
      const pruning = await planPruning(daemon, input, token);
      confirmed.set(JSON.stringify(input), pruning);
      const name = vscode.workspace.asRelativePath(pruning.model);
      return {
        title: vscode.l10n.t('Prune {0} to {1}?', name, input.budget),
        message: [
          vscode.l10n.t('Budget: {0}', pruning.meaning),
          vscode.l10n.t('Data: {0}', pruning.dataText),
          pruning.cost,
          vscode.l10n.t('A plan is written beside the model, and a folder for the run.'),
        ].join('\n\n'),
      };
    },
    async run(input, token) {
      const key = JSON.stringify(input);
      const pruning = confirmed.get(key) ?? (await planPruning(daemon, input, token));
      confirmed.delete(key);
      const show = openMonitorOnRun()
        ? (name: string, begin: () => Promise<string>) => monitor.showStarting(name, begin, takeBack(daemon))
        : async (_name: string, begin: () => Promise<string>) => void (await begin());
      const { run, plan } = await startPruning(daemon, pruning, show, engineSetting());
      return `Run ${run} has started by the plan ${vscode.workspace.asRelativePath(plan)}. ${pruning.cost} lcPrune_showRuns says how it goes.`;
    },
  };

  const previewBudget: Tool<{ model?: string; budget: string }> = {
    needsTrust: false,
    async run({ model: named, budget }, token) {
      const model = await modelNamed(named);
      const { text, problem } = await daemon.request('lc/preview', { model, budget: budgetOf(budget) }, token);
      return problem === null ? `${vscode.workspace.asRelativePath(model)}: ${text}` : `Impossible: ${problem}`;
    },
  };

  const showRuns: Tool<{ plan?: string }> = {
    needsTrust: false,
    async run({ plan }) {
      const all = (await loaded()).filter((run) => plan === undefined || run.planPath?.endsWith(plan) === true);
      if (all.length === 0) return 'There are no runs.';
      const lines = all.slice(0, SHOWN).map((run) => {
        const cautions = (run.cautions ?? []).filter(({ serious }) => serious).map(({ message }) => `; warning: ${message}`); // prettier-ignore
        return `- ${calledOf(run, all)} (${run.method}, ${stateName(run.state)}): ${runDescription(run)}${cautions.join('')}`;
      });
      const more = all.length > SHOWN ? [`and ${all.length - SHOWN} older ones`] : [];
      return [...lines, ...more].join('\n');
    },
  };

  const openMonitor: Tool<{ runs?: string[] }> = {
    needsTrust: false,
    async run({ runs: wanted }) {
      const all = await loaded();
      const missing = wanted?.find((name) => !all.some((run) => calledOf(run, all) === name || run.run === name));
      if (missing !== undefined) throw new Error(vscode.l10n.t('No run is called "{0}".', missing));
      const found = all.filter((run) => wanted?.includes(calledOf(run, all)) || wanted?.includes(run.run));
      const shown = wanted ? found.map(({ run }) => run) : runs.current ? [runs.current.run] : [];
      monitor.show(shown);
      const names = all.filter(({ run }) => shown.includes(run)).map(displayName);
      return names.length > 0 ? `The monitor shows ${names.join(', ')}.` : 'The monitor is open; there are no runs.';
    },
  };

  return {
    lcPrune_pruneModel: pruneModel,
    lcPrune_previewBudget: previewBudget,
    lcPrune_showRuns: showRuns,
    lcPrune_openMonitor: openMonitor,
  } satisfies Record<(typeof LANGUAGE_TOOLS)[number], Tool<never>>;
}

/** What a run is called: by its name, or by its folder where two have one name. */
const calledOf = (run: Run, all: readonly Run[]): string =>
  all.some((other) => other !== run && other.name === run.name) ? run.run : run.name;

function requireTrust({ needsTrust }: Pick<Tool<unknown>, 'needsTrust'>): void {
  if (needsTrust && !vscode.workspace.isTrusted)
    throw new Error(vscode.l10n.t('This folder is not trusted, so nothing in it is run or written.'));
}

/** A tool as the editor calls it. */
export const asEditorTool = <T>(tool: Tool<T>): vscode.LanguageModelTool<T> => ({
  async prepareInvocation({ input }, token) {
    requireTrust(tool);
    return tool.confirm ? { confirmationMessages: await tool.confirm(input, token) } : undefined;
  },
  async invoke({ input }, token) {
    requireTrust(tool);
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(await tool.run(input, token))]);
  },
});

export function registerLanguageTools(services: Pick<Services, 'daemon' | 'runs' | 'monitor'>): vscode.Disposable {
  const tools = languageTools(services);
  return vscode.Disposable.from(
    ...LANGUAGE_TOOLS.map((name) => vscode.lm.registerTool(name, asEditorTool(tools[name] as Tool<unknown>))),
  );
}
