/** `--goal`: a budget or a goal, parsed as in the editor's budget box. */
import { UserError } from '../protocol/errors.js';
import { examples, parseGoal, type Goal, type GoalProblem } from '../protocol/goalText.js';
import { stringOption, type Values } from './command.js';

const PROBLEMS: Record<GoalProblem, string> = {
  empty: 'is empty',
  unreadable: 'is no budget and no goal',
  range: 'is out of range: a share or an error is at most 100%, and N:M needs N < M',
  time: 'is a time, which depends on the machine: give FLOPs ("50% flops", "2x faster") or neurons, and see "lc-prune export" for measured times',
};

/** @returns the likeliest reading of --goal; undefined if it is not given. @throws UserError('usage'). */
export function goalOption(values: Values): Goal | undefined {
  const text = stringOption(values, 'goal');
  return text === undefined ? undefined : goalText('goal', text);
}

/** The likeliest reading of an option's text. @throws UserError('usage') naming the option. */
export function goalText(option: string, text: string): Goal {
  const input = parseGoal(text);
  if ('readings' in input) {
    const [reading] = input.readings;
    return 'budget' in reading! ? { budget: reading.budget } : { bound: reading!.bound };
  }
  throw new UserError(
    'usage',
    `--${option}: "${text.slice(0, 100)}" ${PROBLEMS[input.problem]}; try one of: ${examples(true).join(', ')}`,
  );
}
