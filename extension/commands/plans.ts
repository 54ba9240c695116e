import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { OutlookSubject, RunSummary } from '../../daemon/protocol/messages.js';
import { askGoal } from '../budget/askBudget.js';
import { askPath } from '../budget/askPath.js';
import { editPlan as edit } from '../budget/editDocument.js';
import { outlookOf, previewOfModel, previewOfPlan } from '../budget/preview.js';
import { boundText, budgetText } from '../../daemon/protocol/goalText.js';
import { planPercent } from '../../daemon/protocol/format.js';
import {
  withBound,
  withBudget,
  withData,
  withExcluded,
  withLayerLimits,
  withLearningRate,
} from '../budget/editPlan.js';
import { setContext } from '../contexts.js';
import { chooseData } from '../data/chooseData.js';
import { ensureData } from '../data/ensureData.js';
import { knownData } from '../data/knownData.js';
import { CONTEXTS, MODEL_EDITOR } from '../ids.js';
import { folderOf, namedIn, pathOf, sameFileAs, uriOf, type AbsolutePath } from '../paths.js';
import { isActive } from '../runs.js';
import type { Services } from '../services.js';
import { engineSetting, openMonitorOnRun } from '../settings.js';
import { takeBack } from '../takeBack.js';
import type { CommandTable } from './command.js';
import { findPlans, modelInFront, pickModel, pickPlan, pickRun } from './pick.js';

type PlanCommands = Pick<
  CommandTable,
  | 'lcPrune.pruneModel'
  | 'lcPrune.createPlan'
  | 'lcPrune.inspectModel'
  | 'lcPrune.showNetwork'
  | 'lcPrune.setBudget'
  | 'lcPrune.excludeLayer'
  | 'lcPrune.run'
  | 'lcPrune.runWithBaselines'
  | 'lcPrune.runPath'
  | 'lcPrune.runWithOtherRate'
  | 'lcPrune.runAgain'
  | 'lcPrune.previewBudget'
  | 'lcPrune.chooseData'
  | 'lcPrune.installData'
>;

const open = (path: AbsolutePath, options?: vscode.TextDocumentShowOptions) =>
  vscode.window.showTextDocument(uriOf(path), options);

const planName = (path: string) => basename(path).replace(/\.prune\.jsonc?$/, '');

/** The learning rate that may do better than a run's own. */
const rateOf = ({ cautions = [] }: RunSummary) => cautions.find(({ rate }) => rate)?.rate;

/** From a model or a plan to a run. */
export function planCommands(services: Services): PlanCommands {
  const { daemon, monitor, modelView, runs } = services;
  /** Reading data may run a program of the workspace. */
  const outlookIfTrusted = (of: OutlookSubject) => (vscode.workspace.isTrusted ? outlookOf(daemon, of) : undefined);

  /** Data, then budget: what a model's plans agree on is not asked again. @param always asks all the same. */
  async function makePlan(
    model: AbsolutePath,
    title: (data: string | null) => string,
    always = false,
  ): Promise<AbsolutePath | undefined> {
    const known = always ? null : await knownData(await plansOf(model));
    const chosen = known
      ? { data: known.data, length: null }
      : await chooseData(services, {
          model,
          title: vscode.l10n.t('Data of {0}', vscode.workspace.asRelativePath(model)),
        });
    if (!chosen) return undefined;
    const shown = known && vscode.l10n.t('data as in {0}', vscode.workspace.asRelativePath(known.plan));
    const { data, length } = chosen;
    const goal = await askGoal({
      title: title(shown),
      preview: previewOfModel(daemon, model),
      outlook: outlookIfTrusted({ model, data, ...(length && { length }) }),
    });
    if (!goal) return undefined;
    const { planPath } = await daemon.request('lc/createPlan', { model, ...goal, data, ...(length && { length }) });
    setContext(CONTEXTS.hasBudget, true);
    return planPath;
  }

  /** The plans of the workspace that prune a model, with their data. */
  async function plansOf(model: AbsolutePath): Promise<{ plan: AbsolutePath; data: unknown }[]> {
    const isModel = sameFileAs(model);
    const own: { plan: AbsolutePath; data: unknown }[] = [];
    for (const plan of await findPlans()) {
      const said = await modelOf(plan);
      if (said.model !== null && isModel(said.model)) own.push({ plan, data: said.data });
    }
    return own;
  }

  /** Other data for a plan that is there. @returns false where the user gave up. */
  async function changeData(planPath: AbsolutePath): Promise<boolean> {
    const { model } = await modelOf(planPath);
    if (model === null) {
      // What the architecture takes is offered where "data" stands.
      await open(planPath);
      void vscode.window.showInformationMessage(
        vscode.l10n.t(
          'This plan trains an architecture, not a file: name its data in the plan, a built-in set or a path.',
        ),
      );
      return false;
    }
    const title = vscode.l10n.t('Data of {0}', vscode.workspace.asRelativePath(planPath));
    const chosen = await chooseData(services, { model, planPath, title });
    if (!chosen) return false;
    await edit(planPath, (text) => withData(text, chosen.data));
    return true;
  }

  async function start(
    planPath: AbsolutePath,
    compare?: ('magnitude' | 'gradual')[],
    path?: { maxErrorIncrease?: string },
  ): Promise<void> {
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
        })
      ).folder;
    try {
      if (openMonitorOnRun()) await monitor.showStarting(planName(planPath), begin, takeBack(daemon));
      else await begin();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'data-missing') throw error;
      const openPlan = vscode.l10n.t('Open Plan');
      const choose = vscode.l10n.t('Choose Data...');
      const choice = await vscode.window.showErrorMessage((error as Error).message, choose, openPlan);
      if (choice === openPlan) await open(planPath);
      if (choice === choose && (await changeData(planPath))) await start(planPath, compare, path);
    }
  }

  /** The plan's model, by asking the plan itself. */
  async function modelOf(
    planPath: AbsolutePath,
  ): Promise<{ model: AbsolutePath | null; data: unknown; exclude: string[]; budget: string }> {
    const { parse } = await import('jsonc-parser');
    const document = await vscode.workspace.openTextDocument(uriOf(planPath));
    const plan = parse(document.getText()) as
      { model?: unknown; data?: unknown; exclude?: unknown; budget?: unknown; path?: unknown } | undefined;
    return {
      model: typeof plan?.model === 'string' ? namedIn(folderOf(planPath), plan.model) : null,
      data: plan?.data,
      exclude: Array.isArray(plan?.exclude) ? plan.exclude.filter((name) => typeof name === 'string') : [],
      budget: budgetText(plan?.budget) || (plan?.budget === undefined ? boundText(plan?.path) : ''),
    };
  }

  /** The plan of a model: the only one, the user's choice, or a new one. */
  async function planFor(model: AbsolutePath): Promise<AbsolutePath | undefined> {
    const own = (await plansOf(model)).map(({ plan }) => plan);
    if (own.length === 0)
      return makePlan(model, () => vscode.l10n.t('No plan uses this model yet: budget of a new one'));
    if (own.length === 1) return own[0];
    const chosen = await vscode.window.showQuickPick(
      own.map((path) => ({ label: vscode.workspace.asRelativePath(path), path })),
      { title: vscode.l10n.t('Which plan?') },
    );
    return chosen?.path;
  }

  async function setPlanBudget(planPath: AbsolutePath): Promise<void> {
    const { model, exclude, budget: current } = await modelOf(planPath);
    const goal = await askGoal({
      title: vscode.l10n.t('Budget of {0}', vscode.workspace.asRelativePath(planPath)),
      preview: model ? previewOfModel(daemon, model, exclude) : previewOfPlan(daemon, planPath),
      current,
      outlook: outlookIfTrusted({ planPath }),
    });
    if (!goal) return;
    await edit(planPath, (text) => ('budget' in goal ? withBudget(text, goal.budget) : withBound(text, goal.bound)));
    setContext(CONTEXTS.hasBudget, true);
  }

  async function setLayerLimits(planPath: AbsolutePath, layer: string): Promise<void> {
    const ask = (title: string, prompt: string) =>
      vscode.window.showInputBox({
        title,
        prompt,
        placeHolder: '5%',
        validateInput: (text) =>
          text.trim() === '' || /^\s*(100|\d{1,2})(\.\d+)?\s*%\s*$/.test(text)
            ? null
            : vscode.l10n.t('A share such as 5%, or nothing for no limit'),
      });
    const floor = await ask(
      vscode.l10n.t('{0}: keep at least (1 of 2)', layer),
      vscode.l10n.t('Smallest share of this layer that is kept. Empty: no floor.'),
    );
    if (floor === undefined) return;
    const cap = await ask(
      vscode.l10n.t('{0}: keep at most (2 of 2)', layer),
      vscode.l10n.t('Largest share of this layer that is kept. Empty: no cap.'),
    );
    if (cap === undefined) return;
    await edit(planPath, (text) =>
      withLayerLimits(text, layer, { floor: floor.trim() || null, cap: cap.trim() || null }),
    );
  }

  return {
    'lcPrune.pruneModel': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? (await pickModel(vscode.l10n.t('Prune which model?')));
        if (!model) return;
        const name = vscode.workspace.asRelativePath(model);
        const plan = await makePlan(model, (data) =>
          data === null
            ? vscode.l10n.t('Prune {0}: what must the result fit?', name)
            : vscode.l10n.t('Prune {0} ({1}): what must the result fit?', name, data),
        );
        if (plan) await start(plan);
      },
    },
    'lcPrune.createPlan': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? (await pickModel(vscode.l10n.t('A plan for which model?')));
        if (!model) return;
        const name = vscode.workspace.asRelativePath(model);
        const plan = await makePlan(model, () => vscode.l10n.t('Plan for {0}: what must the result fit?', name), true);
        if (plan) await open(plan);
      },
    },
    'lcPrune.inspectModel': {
      needs: 'folder',
      async run(argument) {
        const model = argument?.model ?? (await pickModel(vscode.l10n.t('Inspect which model?')));
        if (model) await modelView.inspect(model, { reveal: true });
      },
    },
    'lcPrune.showNetwork': {
      needs: 'folder',
      async run(argument) {
        const model =
          argument?.model ??
          modelInFront() ??
          modelView.model ??
          (await pickModel(vscode.l10n.t('The network of which model?')));
        if (model) await vscode.commands.executeCommand('vscode.openWith', uriOf(model), MODEL_EDITOR);
      },
    },
    'lcPrune.setBudget': {
      needs: 'trust',
      async run(argument) {
        const { model, layer } = argument ?? {};
        const plan =
          (argument && 'plan' in argument ? argument.plan : undefined) ??
          (model ? await planFor(model) : await pickPlan(vscode.l10n.t('Budget of which plan?')));
        if (!plan) return;
        await (layer ? setLayerLimits(plan, layer) : setPlanBudget(plan));
      },
    },
    'lcPrune.excludeLayer': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? modelView.model ?? (await pickModel(vscode.l10n.t('A layer of which model?')));
        if (!model) return;
        const layer = argument?.layer ?? (await modelView.pickLayer(model, vscode.l10n.t('Exclude which layer?')));
        if (!layer) return;
        const plan = await planFor(model);
        if (plan) await edit(plan, (text) => withExcluded(text, layer));
      },
    },
    'lcPrune.run': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('Run which plan?')));
        if (plan) await start(plan);
      },
    },
    'lcPrune.runWithBaselines': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('Run which plan, and plain pruning after it?')));
        if (plan) await start(plan, ['magnitude', 'gradual']);
      },
    },
    'lcPrune.runPath': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('The path of which plan?')));
        const wish = plan && (await askPath());
        if (plan && wish) await start(plan, wish.compare, wish.path);
      },
    },
    'lcPrune.chooseData': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('The data of which plan?')));
        if (plan) await changeData(plan);
      },
    },
    'lcPrune.runWithOtherRate': {
      needs: 'trust',
      async run(argument) {
        const summary =
          argument?.summary ??
          (await pickRun(
            runs.all.filter((run) => rateOf(run) !== undefined && run.planFile !== null),
            vscode.l10n.t('Which run, with another learning rate?'),
            vscode.l10n.t('No run asks for another learning rate.'),
          ));
        const rate = summary && rateOf(summary);
        if (!rate || summary.planFile === null) return;
        await edit(summary.planFile, (text) => withLearningRate(text, rate));
        await start(summary.planFile);
      },
    },
    'lcPrune.runAgain': {
      needs: 'trust',
      async run(argument) {
        const summary =
          argument?.summary ??
          (await pickRun(
            runs.all.filter((run) => !isActive(run) && run.planFile !== null),
            vscode.l10n.t('Start the plan of which run again?'),
            vscode.l10n.t('No run has a plan file.'),
          ));
        if (!summary?.planFile) return;
        const { plan } = await daemon.request('lc/plan', { run: summary.run });
        const { maxErrorIncrease } = plan.path ?? {};
        const bound = typeof maxErrorIncrease === 'number' ? { maxErrorIncrease: planPercent(maxErrorIncrease) } : {};
        await start(summary.planFile, plan.compare, plan.path && bound);
      },
    },
    'lcPrune.installData': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('The data of which plan?')));
        if (plan && (await ensureData(services, plan, vscode.l10n.t('Install'))))
          void vscode.window.showInformationMessage(
            vscode.l10n.t('The data of {0} is there.', vscode.workspace.asRelativePath(plan)),
          );
      },
    },
    'lcPrune.previewBudget': {
      needs: 'folder',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('Preview the budget of which plan?')));
        if (plan) await setPlanBudget(plan);
      },
    },
  };
}
