/** Options that name the arrays or columns of the data, as the keys of a plan's "data" do. */
import { UserError } from '../protocol/errors.js';
import { stringOption, type Command, type Values } from './command.js';

export const DATA_NAMES: Command['options'] = {
  x: {
    type: 'string',
    value: 'NAMES',
    help: 'arrays or columns of the inputs, in their order ("x1,x2"; default: those named after the inputs, or usual names)',
  },
  y: { type: 'string', value: 'NAMES', help: 'array, columns or file of the labels (default: named after the output, or a usual name)' }, // prettier-ignore
  inputs: {
    type: 'string',
    value: 'INPUT=NAMES',
    help: 'arrays or columns of each input by its name ("age=age,photo=p0,p1")',
  },
};

/** Option of commands that can do without labels. */
export const UNLABELLED = 'unlabelled';

interface DataNames {
  inputs?: string[] | Record<string, string[]>;
  labels?: string[] | false;
}

/** "a=x,b=y,z" -> { a: ["x"], b: ["y", "z"] }: an item without "=" continues the list before it. */
function byInput(text: string): Record<string, string[]> {
  const inputs = new Map<string, string[]>();
  let list: string[] | undefined;
  for (const item of text.split(',').map((part) => part.trim())) {
    const cut = item.indexOf('=');
    if (cut > 0) {
      list = [];
      inputs.set(item.slice(0, cut).trim(), list);
    }
    const name = cut > 0 ? item.slice(cut + 1).trim() : item;
    if (!list || name === '')
      throw new UserError('usage', `--inputs: "${text}" is not INPUT=NAMES, such as "age=age,photo=p0,p1"`);
    list.push(name);
  }
  return Object.fromEntries(inputs);
}

const listed = (text: string | undefined): string[] | undefined => text?.split(',').map((name) => name.trim());

/** The options as keys of "data". @throws UserError('usage'). */
export function dataNames(values: Values): DataNames {
  const [x, y, inputs] = ['x', 'y', 'inputs'].map((name) => stringOption(values, name));
  if (x !== undefined && inputs !== undefined)
    throw new UserError('usage', '--x and --inputs both name the inputs; give one of them');
  const given = inputs === undefined ? listed(x) : byInput(inputs);
  const unlabelled = values[UNLABELLED] === true;
  if (unlabelled && y !== undefined)
    throw new UserError('usage', `--y names the labels and --${UNLABELLED} reads none; give one of them`);
  const labels = unlabelled ? (false as const) : listed(y);
  return { ...(given && { inputs: given }), ...(labels !== undefined && { labels }) };
}
