import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import { PathSettings, type ErrorBound } from '../../protocol/plan.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { integerOption, namedFile, stringOption, type Command, type Values } from '../command.js';
import { execute } from '../execute.js';
import { finishRun } from '../finishRun.js';
import { goalOption } from '../goalOption.js';
import { ON_OPTION, placed } from '../runnerOption.js';

const numberOrText = (text: string): number | string => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

/** The path's settings in the options; the rest comes from the plan, then from the defaults. */
function settingsOf(values: Values): PathSettings {
  const list = stringOption(values, 'budgets');
  const increase = stringOption(values, 'max-error-increase');
  const points = integerOption(values, 'points', 1, 64);
  const refinements = integerOption(values, 'refinements', 0, 32);
  if (list !== undefined && points !== undefined)
    throw new UserError(
      'usage',
      'lc-prune path: --budgets lists the budgets, --points counts them; give one of the two',
    );
  const budgets = list?.split(',').map((text) => numberOrText(text.trim()));
  const parsed = PathSettings.safeParse({
    ...(budgets && { budgets }),
    ...(points !== undefined && { points }),
    ...(refinements !== undefined && { refinements }),
    ...(increase !== undefined && { maxErrorIncrease: numberOrText(increase.trim()) }),
    ...boundOf(values),
  });
  if (parsed.success) return parsed.data;
  const [field, at] = parsed.error.issues[0]!.path;
  if (field === 'maxErrorIncrease')
    throw new UserError(
      'usage',
      `--max-error-increase: "${increase}" is no share; give absolute points such as "0.5%"`,
    );
  throw new UserError(
    'usage',
    `--budgets: "${budgets?.[Number(at)] ?? list}" is no budget; give a list such as 10%,5%,2%`,
  );
}

/** The bound of --goal. @throws UserError('usage') if it is a budget, or if another bound is given too. */
function boundOf(values: Values): ErrorBound | undefined {
  const goal = goalOption(values);
  if (!goal) return undefined;
  if (!('bound' in goal))
    throw new UserError('usage', '--goal: a path looks for the smallest budget itself; give a bound on the error, such as "lose at most 0.5%", or list --budgets'); // prettier-ignore
  if (stringOption(values, 'max-error-increase') !== undefined)
    throw new UserError('usage', 'lc-prune path: --goal and --max-error-increase both bound the error; give one of the two'); // prettier-ignore
  return goal.bound;
}

export const path: Command = {
  name: 'path',
  positionals: 'PLAN',
  summary: 'the error-against-budget curve in one warm-started run; the smallest network within an error bound',
  options: {
    budgets: {
      type: 'string',
      value: 'LIST',
      help: '10%,5%,2% or 40kB,20kB: in the unit of the plan (default: 8, evenly spaced)',
    },
    points: { type: 'string', value: 'N', help: 'how many budgets, where they are not listed (default: 8)' },
    'max-error-increase': {
      type: 'string',
      value: 'POINTS',
      help: 'find the smallest network that loses at most this much error, in absolute points: 0.5%',
    },
    goal: {
      type: 'string',
      value: 'GOAL',
      help: 'the same in words: "lose at most 0.5%", "97% accuracy", "error 3%"',
    },
    refinements: {
      type: 'string',
      value: 'N',
      help: 'budgets tried beyond the listed ones in that search (default: 4)',
    },
    compare: {
      type: 'string',
      value: 'METHOD',
      help: 'the curve of magnitude pruning beside it, with equal epochs: magnitude',
    },
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: the plan, else auto)' },
    seed: { type: 'string', value: 'N', help: 'seed (default: the plan, else 0)' },
    ...ON_OPTION,
  },
  async run({ positionals, values, terminal }) {
    const { file: planFile, workspace } = await namedFile(positionals[0]!, values);
    const compare = stringOption(values, 'compare');
    if (compare !== undefined && compare !== 'magnitude')
      throw new UserError('usage', `--compare: "${compare}" has no path; known: magnitude`);
    const seed = integerOption(values, 'seed', 0, 0xffffffff);
    const engine = stringOption(values, 'engine');
    const written = await readPlan(planFile, { workspace, asPath: settingsOf(values), formatOf: fileFormatOf });
    const plan: ResolvedPlan = {
      ...written,
      ...(seed === undefined ? {} : { seed }),
      ...(engine === undefined ? {} : { engine }),
      ...(compare && { compare: [compare] }),
    };
    const { folder, done } = await execute(placed(plan, values), workspace, terminal);
    return done ? finishRun(terminal, workspace, done, folder) : 130;
  },
};
