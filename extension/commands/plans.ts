import * as vscode from 'vscode';
import type { RunSummary } from '../../daemon/protocol/messages.js';
import { planPercent } from '../../daemon/protocol/format.js';
import { askPath } from '../budget/askPath.js';
import { editPlan as edit } from '../budget/editDocument.js';
import { withExcluded, withLearningRate } from '../budget/editPlan.js';
import { ensureData } from '../data/ensureData.js';
import { MODEL_EDITOR } from '../ids.js';
import { uriOf } from '../paths.js';
import { isActive } from '../runs.js';
import type { Services } from '../services.js';
import { askPlace } from './askPlace.js';
import type { CommandTable } from './command.js';
import { changeData, makePlan, planFor } from './makePlan.js';
import { modelInFront, pickModel, pickPlan, pickRun } from './pick.js';
import { setLayerLimits, setPlanBudget } from './planBudget.js';
import { openPlan } from './planFiles.js';
import { startRun } from './startRun.js';

type PlanCommands = Pick<
  CommandTable,
  | 'lcPrune.pruneModel'
  | 'lcPrune.createPlan'
  | 'lcPrune.inspectModel'
  | 'lcPrune.showNetwork'
  | 'lcPrune.setBudget'
  | 'lcPrune.excludeLayer'
  | 'lcPrune.run'
  | 'lcPrune.runOn'
  | 'lcPrune.runWithBaselines'
  | 'lcPrune.runPath'
  | 'lcPrune.runWithOtherRate'
  | 'lcPrune.runAgain'
  | 'lcPrune.previewBudget'
  | 'lcPrune.chooseData'
  | 'lcPrune.installData'
>;

/** The suggested learning rate, in place of the run's own. */
const rateOf = ({ cautions = [] }: RunSummary) => cautions.find(({ rate }) => rate)?.rate;

/** Commands that lead from a model or a plan to a run. */
export function planCommands(services: Services): PlanCommands {
  const { daemon, modelView, runs } = services;

  return {
    'lcPrune.pruneModel': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? (await pickModel(vscode.l10n.t('Prune which model?')));
        if (!model) return;
        const name = vscode.workspace.asRelativePath(model);
        const plan = await makePlan(services, model, (data) =>
          data === null
            ? vscode.l10n.t('Prune {0}: what must the result fit?', name)
            : vscode.l10n.t('Prune {0} ({1}): what must the result fit?', name, data),
        );
        if (plan) await startRun(services, plan);
      },
    },
    'lcPrune.createPlan': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? (await pickModel(vscode.l10n.t('A plan for which model?')));
        if (!model) return;
        const name = vscode.workspace.asRelativePath(model);
        const plan = await makePlan(
          services,
          model,
          () => vscode.l10n.t('Plan for {0}: what must the result fit?', name),
          true,
        );
        if (plan) await openPlan(plan);
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
          (model ? await planFor(services, model) : await pickPlan(vscode.l10n.t('Budget of which plan?')));
        if (!plan) return;
        await (layer ? setLayerLimits(plan, layer) : setPlanBudget(daemon, plan));
      },
    },
    'lcPrune.excludeLayer': {
      needs: 'trust',
      async run(argument) {
        const model = argument?.model ?? modelView.model ?? (await pickModel(vscode.l10n.t('A layer of which model?')));
        if (!model) return;
        const layer = argument?.layer ?? (await modelView.pickLayer(model, vscode.l10n.t('Exclude which layer?')));
        if (!layer) return;
        const plan = await planFor(services, model);
        if (plan) await edit(plan, (text) => withExcluded(text, layer));
      },
    },
    'lcPrune.run': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('Run which plan?')));
        if (plan) await startRun(services, plan);
      },
    },
    'lcPrune.runOn': {
      needs: 'trust',
      async run(argument) {
        const given = argument && ('file' in argument ? argument.file : argument.plan);
        const plan = given ?? (await pickPlan(vscode.l10n.t('Run which plan?')));
        const runOn = plan && (await askPlace(services, plan));
        if (plan && runOn !== undefined) await startRun(services, plan, { runOn });
      },
    },
    'lcPrune.runWithBaselines': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('Run which plan, and plain pruning after it?')));
        if (plan) await startRun(services, plan, { compare: ['magnitude', 'gradual'] });
      },
    },
    'lcPrune.runPath': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('The path of which plan?')));
        const wish = plan && (await askPath());
        if (plan && wish) await startRun(services, plan, wish);
      },
    },
    'lcPrune.chooseData': {
      needs: 'trust',
      async run(argument) {
        const plan = argument?.plan ?? (await pickPlan(vscode.l10n.t('The data of which plan?')));
        if (plan) await changeData(services, plan);
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
        await startRun(services, summary.planFile);
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
        await startRun(services, summary.planFile, { compare: plan.compare, path: plan.path && bound });
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
        if (plan) await setPlanBudget(daemon, plan);
      },
    },
  };
}
