/** Tools for plan files: checking one, previewing a budget, and writing a first one. */
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { architectureLayers } from '../../language/modelFiles.js';
import { analysePlan } from '../../language/planAnalysis.js';
import { LineIndex } from '../../language/text.js';
import { UserError } from '../../protocol/errors.js';
import { BudgetPreview, type Params } from '../../protocol/messages.js';
import { Budget, DataSource } from '../../protocol/plan.js';
import { PlanLength } from '../../protocol/dataChoice.js';
import { previewForRun } from '../../server/jobs/planModel.js';
import type { Root } from '../root.js';
import { defineTool, filePath, READS, text } from '../tool.js';
import { LIMITS } from '../limits.js';

const isPlan = (path: string): boolean => /\.prune\.jsonc?$/.test(path);

async function planText(root: Root, plan: string): Promise<{ path: string; written: string }> {
  const path = await root.file(plan);
  const info = await stat(path).catch(() => null);
  if (!info?.isFile())
    throw new UserError('plan-invalid', `there is no plan ${root.shown(path)}; create_plan writes one`, { file: path });
  if (info.size > LIMITS.planCharacters)
    throw new UserError('plan-invalid', `${root.shown(path)} is too large for a plan file`, { file: path });
  return { path, written: await readFile(path, 'utf8') };
}

const TaskPreview = z.object({ task: z.string(), layers: z.array(z.string()), preview: BudgetPreview });

export const checkPlan = defineTool({
  name: 'check_plan',
  title: 'Check a plan',
  description:
    'Everything wrong with a plan file (*.prune.json), each with line, column and the way out, and what its budget means where nothing is. Trains nothing. The resource lc-prune://schema/plan has the schema.',
  annotations: READS,
  input: z.strictObject({
    plan: filePath('The plan file'),
    text: z.string().max(LIMITS.planCharacters).optional().describe('The text to check in place of what the file has, before it is written.'), // prettier-ignore
  }),
  output: z.object({
    text,
    valid: z.boolean(),
    problems: z.array(
      z.object({
        line: z.int().describe('From 1.'),
        column: z.int().describe('From 1.'),
        code: z.string(),
        message: z.string(),
        fixes: z.array(z.string()),
      }),
    ),
    budgets: z.array(TaskPreview),
  }),
  async run({ plan, text: given }, root) {
    const path = await root.file(plan);
    if (!isPlan(path))
      throw new UserError('usage', `a plan file is called NAME.prune.json, not "${root.shown(path)}"`, { file: path });
    const written = given ?? (await planText(root, plan)).written;
    const { folder } = root;
    const { findings, resolved } = await analysePlan(written, {
      path,
      folder,
      layersOf: (model) => root.context.models.layersOf(model, folder),
      architectureLayers,
    });
    const lines = new LineIndex(written);
    const problems = findings.map(({ code, message, offset, fixes }) => {
      const { line, character } = lines.positionAt(offset);
      return { line: line + 1, column: character + 1, code, message, fixes: fixes.map(({ title }) => title) };
    });
    const run = resolved && { plan: resolved, workspace: folder, folder: null };
    const budgets = await Promise.all(
      (run?.plan.tasks ?? []).map(async ({ name, layers, budget }) => ({
        task: name,
        layers,
        preview: await previewForRun(run!, budget, root.context.models, layers),
      })),
    );
    const impossible = budgets.flatMap(({ preview: { problem } }) => (problem === null ? [] : [problem]));
    const [first] = [...problems.map(({ line, message }) => `line ${line}: ${message}`), ...impossible];
    const valid = first === undefined && resolved !== null;
    return {
      text: valid
        ? `The plan is valid: ${budgets.map(({ preview }) => preview.text).join('; ')}.`
        : `The plan has ${problems.length + impossible.length} problem(s): ${first ?? 'it does not say enough'}.`,
      valid,
      problems,
      budgets,
    };
  },
});

export const previewBudget = defineTool({
  name: 'preview_budget',
  title: 'Preview a budget',
  description:
    'What a budget would keep of a model (or of the layers that a plan prunes): weights, bytes, share of the FLOPs, or why it is impossible, with the nearest that is possible. Trains nothing.',
  annotations: READS,
  input: z.strictObject({
    model: filePath('The model file; or give "plan"').optional(),
    plan: filePath('A plan file; or give "model"').optional(),
    budget: Budget.optional().describe('In the form of a plan\'s "budget". Of a plan: in place of its own.'),
    exclude: z.array(z.string().max(1000)).max(1000).optional().describe('Of a model: layers that are not pruned.'),
  }),
  output: z.object({ text, budgets: z.array(TaskPreview) }),
  async run({ model, plan, budget, exclude }, root) {
    if ((model === undefined) === (plan === undefined))
      throw new UserError('usage', 'preview_budget: give either "model" or "plan"');
    if (plan !== undefined) {
      const planPath = await root.file(plan);
      const budgets = await root.ask('lc/previewPlan', { planPath, ...(budget && { budget }) });
      return { text: `${budgets.map(({ preview }) => preview.text).join('; ')}.`, budgets };
    }
    if (!budget) throw new UserError('usage', 'preview_budget: "budget" is missing', { field: 'budget' });
    const path = await root.file(model!);
    const preview = await root.ask('lc/preview', { model: path, budget, ...(exclude && { exclude }) });
    return { text: `${preview.text}.`, budgets: [{ task: 'all', layers: [], preview }] };
  },
});

export const createPlan = defineTool({
  name: 'create_plan',
  title: 'Create a plan',
  description:
    'Writes a plan file beside a model (never over one that is there), for start_run. "data" is a built-in name, a path relative to the model, or an object as in a plan; find_data lists what fits.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  input: z.strictObject({
    model: filePath('The model file'),
    budget: Budget,
    data: DataSource,
    length: PlanLength.optional().describe('How long the run may be; left out: the defaults.'),
    name: z.string().max(100).optional().describe('Of the plan file, without its ending.'),
  }),
  output: z.object({ text, plan: z.string() }),
  async run({ model, budget, data, length, name }, root) {
    const wanted: Params<'lc/createPlan'> = {
      model: await root.file(model),
      budget,
      data,
      ...(length && { length }),
      ...(name !== undefined && { name }),
    };
    const { planPath } = await root.ask('lc/createPlan', wanted);
    const plan = root.shown(planPath);
    return { text: `${plan} is written; start_run runs it.`, plan };
  },
});
