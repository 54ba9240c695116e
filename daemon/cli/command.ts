import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { workspaceFor } from '../plan/readPlan.js';
import { UserError } from '../protocol/errors.js';
import { BASELINES, type Baseline } from '../protocol/resolvedPlan.js';
import type { Terminal } from './terminal.js';

type Options = NonNullable<ParseArgsConfig['options']>;
export type Values = Record<string, string | boolean | string[] | undefined>;

interface Option {
  readonly type: 'string' | 'boolean';
  /** What its value is, in the help. */
  readonly value?: string;
  /** May be given more than once. */
  readonly several?: true;
  readonly help: string;
}

/** One command: `lc-prune NAME ...`. */
export interface Command {
  readonly name: string;
  /** The positional arguments as shown in the help: "PLAN", "[FOLDER]". */
  readonly positionals: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** @returns the exit code: 0, 3 if the result is not usable, or 130 when interrupted. Errors are thrown. */
  run(args: { positionals: readonly string[]; values: Values; terminal: Terminal }): Promise<number>;
}

const COMMON: Command['options'] = {
  json: { type: 'boolean', help: 'JSON lines on stdout; progress stays on stderr' },
  workspace: {
    type: 'string',
    value: 'DIR',
    help: 'the folder no path may leave (default: the current one, or that of the file)',
  },
  help: { type: 'boolean', help: 'show this help' },
};

export const optionsOf = (command: Command): Command['options'] => ({ ...command.options, ...COMMON });

export function parseCommand(command: Command, argv: readonly string[]): { positionals: string[]; values: Values } {
  const options: Options = Object.fromEntries(
    Object.entries(optionsOf(command)).map(([name, { type, several }]) => [name, { type, multiple: several ?? false }]),
  );
  try {
    const config = { args: [...argv], options, allowPositionals: true, strict: true, tokens: true } as const;
    const { positionals, values, tokens } = parseArgs(config);
    // The parser would silently drop the first of two values.
    const given = tokens.flatMap((token) => (token.kind === 'option' && token.value !== undefined ? [token.name] : []));
    const twice = given.find((name, i) => given.indexOf(name) < i && !options[name]?.multiple);
    if (twice !== undefined) throw new Error(`--${twice} is given more than once`);
    const required = command.positionals.split(' ').filter((part) => part && !part.startsWith('[')).length;
    const most = command.positionals.split(' ').filter(Boolean).length;
    if (!values['help'] && (positionals.length < required || positionals.length > most))
      throw new Error(`takes ${command.positionals || 'no arguments'}, got ${positionals.length}`);
    return { positionals, values: values as Values };
  } catch (error) {
    throw new UserError(
      'usage',
      `lc-prune ${command.name}: ${(error as Error).message.split('. ')[0]}; see lc-prune ${command.name} --help`,
    );
  }
}

export function integerOption(values: Values, name: string, low: number, high: number): number | undefined {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new UserError('usage', `--${name}: "${text}" is not a whole number from ${low} to ${high}`);
  return value;
}

/** The values of an option that may be given more than once. */
export function listOption(values: Values, name: string): string[] {
  const given = values[name];
  return Array.isArray(given) ? given : [];
}

/** The methods of --compare, in the order in which they run; undefined: not given. @throws UserError('usage') for an unknown one. */
export function baselineList(values: Values): Baseline[] | undefined {
  const wanted = stringOption(values, 'compare')
    ?.split(',')
    .map((method) => method.trim());
  const unknown = wanted?.find((method) => !BASELINES.some((known) => known === method));
  if (unknown !== undefined)
    throw new UserError('usage', `--compare: "${unknown}" is no baseline; known: ${BASELINES.join(', ')}`);
  return wanted && BASELINES.filter((method) => wanted.includes(method));
}

export const stringOption = (values: Values, name: string): string | undefined =>
  typeof values[name] === 'string' ? values[name] : undefined;

/**
 * A file or folder named on the command line, relative to the current folder. It is the user's own choice, wherever a link leads. The command then
 * works in the folder that `workspaceFor` returns.
 */
export async function namedFile(text: string, values: Values): Promise<{ file: string; workspace: string }> {
  const file = await realpath(text).catch(() => resolve(text));
  return { file, workspace: workspaceFor(file, stringOption(values, 'workspace')) };
}
