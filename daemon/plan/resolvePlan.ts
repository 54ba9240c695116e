/** Resolves a plan: fills in every default, expands layer patterns, checks every budget. */
import { BudgetError, createCompression, isOfFile, type BudgetOptions, type FileFormat } from '../lc/budgets.js';
import { DISTILL } from '../lc/distillation.js';
import { growthPerIteration } from '../lc/schedule.js';
import { layerViews } from '../model/layers/layerViews.js';
import type { LayerSummary } from '../model/model.js';
import { byFile, prunableWeightsOf, trainedLayers, type TrainedPart } from '../model/layers/trainedLayers.js';
import { UserError } from '../protocol/errors.js';
import type { WorkspacePath } from '../protocol/paths.js';
import type { Budget, Plan } from '../protocol/plan.js';
import { RATED, type OpenSetting, type ResolvedPlan, type TrainingSettings } from '../protocol/resolvedPlan.js';
import { remoteOf } from '../protocol/runs/runOn.js';
import { MU_GROWTH, REFERENCE, RETRAIN, RETRAIN_RATE, SCHEDULE, TRAINING, usualKeep } from './defaults.js';
import { needsLabels } from './needsLabels.js';
import { placeInPlan } from './parsePlan.js';
import { resolveData } from './resolveData.js';
import { isSearch } from './resolvePath.js';
import { suggestion } from './suggest.js';

/** A semantic problem at a position in the plan: the language server underlines it, `readPlan` throws the first. */
export class PlanMeaningError extends Error {
  override readonly name = 'PlanMeaningError';
  constructor(
    readonly path: readonly (string | number)[],
    message: string,
    readonly code: 'plan-invalid' | 'budget-impossible' = 'plan-invalid',
    /** The suggestion of a quick fix: the nearest valid value of a key below `path`. */
    readonly nearest: { readonly key: string; readonly value: number | string } | null = null,
  ) {
    super(message);
  }
}

export interface PlanContext {
  /** The plan file without ".prune.json". */
  readonly name: string;
  /** null for a plan without a file. */
  readonly planPath: WorkspacePath | null;
  /** The reference model's; ignored for an architecture. */
  readonly modelPath: WorkspacePath | null;
  /** Turns a data path of the plan into one relative to the workspace; leaves built-in names alone. */
  dataPath(path: string): string;
  readonly layers: readonly LayerSummary[];
  /** The file format that `bytes` refers to; without it, sizes are estimated. */
  readonly format?: FileFormat;
}

/** A layer name or a glob: `*` is any run of characters, `?` one. */
function matcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'u');
  return (name) => expression.test(name);
}

function expand(
  patterns: readonly string[],
  names: readonly string[],
  path: readonly (string | number)[],
  kind: 'prunable' | 'frozen' = 'prunable',
): string[] {
  const matchers = patterns.map((pattern, i) => {
    const matches = matcher(pattern);
    if (pattern === '*' || names.some(matches)) return matches;
    const problem = names.length === 0 ? `no layer of the model is ${kind}` : `no ${kind} layer is called "${pattern}"; ${suggestion(pattern, names)}`; // prettier-ignore
    throw new PlanMeaningError([...path, i], problem);
  });
  return names.filter((name) => matchers.some((matches) => matches(name)));
}

/** The frozen layers that the plan trains. */
function resolveUnfreeze({ unfreeze = false }: Plan, layers: readonly LayerSummary[]): string[] {
  if (unfreeze === false) return [];
  const frozen = layers.filter((layer) => layer.frozen).map((layer) => layer.name);
  return unfreeze === true ? frozen : expand(unfreeze, frozen, ['unfreeze'], 'frozen');
}

/** Why a layer with kernels is not pruned. */
const untrained = ({ name, frozen }: LayerSummary): string =>
  frozen
    ? `layer "${name}" is frozen in the file (trainable is false); "unfreeze": ["${name}"] trains and prunes it`
    : `the trained output does not depend on layer "${name}"; "output" names another one`;

/** The plan's budget; for a plan with a goal, the budget at which the search begins. */
function onlyBudget(plan: Plan, kernels: readonly LayerSummary[], pruned: readonly string[]): Budget {
  if (!isSearch(plan)) return plan.budget!;
  const weights = kernels.filter(({ name }) => pruned.includes(name)).reduce((sum, { prunable }) => sum + prunable, 0);
  return { ...plan.budget, keep: usualKeep(weights) };
}

function resolveTasks(
  plan: Plan,
  part: TrainedPart,
  context: Pick<PlanContext, 'layers' | 'format'>,
): ResolvedPlan['tasks'] {
  const { format } = context;
  const layers = trainedLayers(context.layers, part);
  const kernels = layers.filter((layer) => layer.prunable > 0);
  const all = kernels.map((layer) => layer.name);
  const aside = kernels.filter((layer) => prunableWeightsOf(layer) === 0);
  const prunable = all.filter((name) => !aside.some((layer) => layer.name === name));
  if (prunable.length === 0)
    throw new PlanMeaningError(
      ['model'],
      all.length === 0
        ? 'the model has no prunable layer (Dense, convolution, recurrent or embedding kernels)'
        : `no prunable layer is trained: ${untrained(aside[0]!)}`,
    );
  const excluded = plan.exclude ? expand(plan.exclude, all, ['exclude']) : [];
  let free = prunable.filter((name) => !excluded.includes(name));
  const written: { name: string; patterns: readonly string[]; budget: Budget; path: (string | number)[] }[] = plan.tasks
    ? plan.tasks.map((task, i) => {
        const patterns = typeof task.layers === 'string' ? [task.layers] : task.layers;
        return { name: patterns.join('+'), patterns, budget: task.budget, path: ['tasks', i] };
      })
    : [{ name: 'all', patterns: ['*'], budget: onlyBudget(plan, kernels, free), path: [] }];
  // "*" selects the layers that no other task names, wherever it stands in the list.
  const resolved = new Map<(typeof written)[number], string[]>();
  for (const task of [...written].sort((a, b) => Number(a.patterns.includes('*')) - Number(b.patterns.includes('*')))) {
    for (const [i, pattern] of task.patterns.entries()) {
      const named = aside.find((layer) => layer.name === pattern);
      if (named) throw new PlanMeaningError([...task.path, 'layers', i], untrained(named));
    }
    const names = expand(task.patterns, all, [...task.path, 'layers']).filter((name) => free.includes(name));
    if (names.length === 0)
      throw new PlanMeaningError(
        [...task.path, ...(plan.tasks ? ['layers'] : ['exclude'])],
        'no layer is left for this budget: each prunable layer is excluded or belongs to another task',
      );
    free = free.filter((name) => !names.includes(name));
    resolved.set(task, names);
  }
  return written.map((task) => {
    const names = resolved.get(task)!;
    const options = format ? { format: format(isOfFile(written, task.budget)) } : {};
    checkBudget(task.budget, layers, [...task.path, 'budget'], names, options);
    return { name: task.name, layers: names, budget: task.budget };
  });
}

function checkBudget(
  budget: Budget,
  layers: readonly LayerSummary[],
  path: readonly (string | number)[],
  names: readonly string[],
  options: BudgetOptions,
): void {
  for (const layer of Object.keys(budget.layers ?? {})) {
    if (!names.includes(layer))
      throw new PlanMeaningError(
        [...path, 'layers', layer],
        `no layer of this budget is called "${layer}"; ${suggestion(layer, names)}`,
      );
  }
  try {
    createCompression(
      budget,
      layerViews(layers, names, budget).map(({ view }) => view),
      options,
    );
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    const nearest = error.nearest === undefined ? null : { key: error.key, value: error.nearest };
    throw new PlanMeaningError(path, error.message, 'budget-impossible', nearest);
  }
}

const given = <T extends object>(settings: T | undefined): Partial<TrainingSettings> =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));

/** Defaults that do not depend on other settings. A batch size of "training" applies to the other phases too. */
function openSettings({ model, schedule, training, retrain, reference }: Plan): OpenSetting[] {
  const batches = training?.batchSize === undefined;
  const open: Record<OpenSetting, boolean> = {
    'training.batchSize': batches,
    'retrain.batchSize': batches && retrain?.batchSize === undefined,
    'reference.batchSize': batches && reference?.batchSize === undefined,
    'schedule.epochs': schedule?.epochs === undefined,
    'schedule.firstEpochs': schedule?.epochs === undefined && schedule?.firstEpochs === undefined,
    'retrain.epochs': retrain?.epochs === undefined,
    // A given model is not trained.
    'reference.epochs': typeof model !== 'string' && reference?.epochs === undefined,
  };
  return (Object.keys(open) as OpenSetting[]).filter((setting) => open[setting]);
}

/** The schedule with every default; `muEnd` is converted to the factor `a` that reaches it. @throws PlanMeaningError. */
function resolveSchedule({ muEnd, ...written }: NonNullable<Plan['schedule']>): ResolvedPlan['schedule'] {
  const settings = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
  const schedule = { ...SCHEDULE, ...(settings as Partial<ResolvedPlan['schedule']>) };
  const { mu0, iterations, epochs } = schedule;
  const firstEpochs = written.firstEpochs ?? epochs;
  if (muEnd !== undefined) {
    if (written.a !== undefined)
      throw new PlanMeaningError(['schedule', 'muEnd'], 'give either "a" or "muEnd": the one follows from the other');
    if (!(muEnd > mu0))
      throw new PlanMeaningError(['schedule', 'muEnd'], `mu grows: it must be above mu0, which is ${mu0}`);
  }
  const planned = written.a !== undefined || iterations === 1;
  if (planned || (muEnd === undefined && iterations === SCHEDULE.iterations)) return { ...schedule, firstEpochs };
  const growth = muEnd === undefined ? MU_GROWTH : muEnd / mu0;
  return { ...schedule, a: growthPerIteration(growth, iterations), firstEpochs };
}

/** @throws PlanMeaningError if a section has the factor of another schedule than its own. */
function checkRates(plan: Plan): void {
  for (const section of RATED) {
    const { learningRateSchedule = 'exponential', decay } = plan[section] ?? {};
    if (learningRateSchedule !== 'exponential' && decay !== undefined)
      throw new PlanMeaningError([section, 'decay'], `"decay" is of the exponential schedule: leave it out with "${learningRateSchedule}"`); // prettier-ignore
  }
}

/** Sections without a learning rate in the plan: the run searches for one. */
const openRates = (plan: Plan): NonNullable<ResolvedPlan['openRates']> =>
  RATED.filter((section) => plan[section]?.learningRate === undefined);

/**
 * @throws PlanMeaningError at the first layer pattern that matches nothing, budget that cannot be met, or contradiction.
 */
export function resolvePlan(plan: Plan, context: PlanContext): ResolvedPlan {
  checkRates(plan);
  const data = resolveData(plan.data, context.dataPath);
  const labels = data.labels === false ? needsLabels(plan) : null;
  if (labels) throw new PlanMeaningError(labels.path, labels.message);
  const batchSize = plan.training?.batchSize ?? TRAINING.batchSize;
  const training = { ...TRAINING, ...given(plan.training) };
  const own = { output: plan.output ?? null, unfreeze: resolveUnfreeze(plan, context.layers) };
  const { jointly } = plan.otherOutputs === 'measure' ? {} : byFile(context.layers, own);
  const part = { ...own, ...(jointly && { jointly }) };
  const runOn = remoteOf(plan.runOn);
  const { weight = data.labels === false ? 1 : DISTILL.weight, temperature = null } = plan.distill ?? {};
  return {
    name: context.name,
    planPath: context.planPath,
    model: typeof plan.model === 'string' ? { path: context.modelPath! } : plan.model,
    data,
    tasks: resolveTasks(plan, part, context),
    method: plan.method ?? 'lc',
    schedule: resolveSchedule(plan.schedule ?? {}),
    training,
    retrain: { ...RETRAIN, batchSize, learningRate: RETRAIN_RATE * training.learningRate, ...given(plan.retrain) },
    // A given model is trained already, unless the plan asks for more training.
    reference: {
      ...REFERENCE,
      ...(typeof plan.model === 'string' ? { epochs: 0 } : {}),
      batchSize,
      ...given(plan.reference),
    },
    ...(plan.distill && { distill: { weight, temperature } }),
    open: openSettings(plan),
    openRates: openRates(plan),
    ...part,
    engine: plan.engine ?? 'auto',
    seed: plan.seed ?? 0,
    ...(runOn && { runOn }),
    modelHash: null,
    dataHash: null,
  };
}

/** The problem as the one-line error of a command: file, field, way out. @param text of the file, for the line: "x.prune.json:4:3: ...". */
export function requireResolved(plan: Plan, context: PlanContext, file: string, text?: string): ResolvedPlan {
  try {
    return resolvePlan(plan, context);
  } catch (error) {
    if (!(error instanceof PlanMeaningError)) throw error;
    const field = error.path.join('.');
    const where = text === undefined ? file : placeInPlan(file, text, error.path);
    throw new UserError(error.code, `${where}: ${field ? `"${field}": ` : ''}${error.message}`, { file, field });
  }
}
