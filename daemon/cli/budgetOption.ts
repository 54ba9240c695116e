/** `--budget`: parsed as in the editor's budget box, or as a plan's "budget". */
import { UserError } from '../protocol/errors.js';
import { Budget } from '../protocol/plan.js';
import { goalText } from './goalOption.js';
import { stringOption, type Values } from './command.js';

/** @returns the likeliest reading of --budget; undefined if it is not given. @throws UserError('usage'). */
export function budgetOption(values: Values): Budget | undefined {
  const text = stringOption(values, 'budget');
  if (text === undefined) return undefined;
  if (text.trim().startsWith('{')) return jsonBudget(text);
  const goal = goalText('budget', text);
  if ('budget' in goal) return goal.budget;
  throw new UserError(
    'usage',
    `--budget: "${text.slice(0, 100)}" is a goal, which a search meets with a budget of its own: "lc-prune path --goal"`,
  );
}

function jsonBudget(text: string): Budget {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError('usage', `--budget: no JSON: ${(error as Error).message}`);
  }
  const parsed = Budget.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue!.path.join('.');
  throw new UserError('usage', `--budget: ${key === '' ? '' : `"${key}": `}${issue!.message}`, { field: key });
}
