#!/usr/bin/env node
import { relative } from 'node:path';
import { UserError } from '../protocol/errors.js';
import { TrainerEnded } from '../runs/ending.js';
import { optionsOf, parseCommand, type Command } from './command.js';
import { changed } from './commands/changed.js';
import { engines } from './commands/engines.js';
import { evaluate } from './commands/evaluate.js';
import { exportCommand } from './commands/export.js';
import { init } from './commands/init.js';
import { inspect } from './commands/inspect.js';
import { mcp } from './commands/mcp.js';
import { mark } from './commands/mark.js';
import { path } from './commands/path.js';
import { preview } from './commands/preview.js';
import { resume } from './commands/resume.js';
import { run } from './commands/run.js';
import { runs } from './commands/runs.js';
import { sensitivity } from './commands/sensitivity.js';
import { stop } from './commands/stop.js';
import { sweep } from './commands/sweep.js';
import { tensorboard } from './commands/tensorboard.js';
import { train } from './commands/train.js';
import { work } from './commands/work.js';
import { resumeCommand } from './resumeCommand.js';
import { createTerminal } from './terminal.js';
import { version } from './version.js';

const commands: readonly Command[] = [
  run,
  path,
  sweep,
  resume,
  stop,
  train,
  evaluate,
  sensitivity,
  inspect,
  preview,
  exportCommand,
  changed,
  init,
  runs,
  tensorboard,
  mark,
  engines,
  mcp,
  work,
];

function help(): string {
  const width = Math.max(...commands.map((command) => command.name.length + command.positionals.length + 1));
  const lines = commands.map(
    (command) => `  ${`${command.name} ${command.positionals}`.padEnd(width)}  ${command.summary}`,
  );
  return [
    'lc-prune: prune a trained network to a budget with the Learning-Compression algorithm.',
    '',
    ...lines,
    '',
    'lc-prune COMMAND --help shows the options of one. Every command takes --json.',
  ].join('\n');
}

function commandHelp(command: Command): string {
  const options = Object.entries(optionsOf(command)).map(
    ([name, { value, help: text }]) => [`--${name}${value ? ` ${value}` : ''}`, text] as const,
  );
  const width = Math.max(...options.map(([flag]) => flag.length));
  return [
    `lc-prune ${command.name} ${command.positionals}`,
    '',
    command.summary,
    '',
    ...options.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
  ].join('\n');
}

/** The command that resumes: after a crash, on the next engine. */
function endingLine({ message, folder, ending }: TrainerEnded): string {
  if (!ending) return message;
  const from = ending.checkpoint === null ? 'there is no checkpoint yet' : `the last checkpoint is ${relative(process.cwd(), ending.checkpoint)}`; // prettier-ignore
  return `${message}; ${from}; continue with: ${resumeCommand(folder, ending.next)}`;
}

/**
 * Exit codes: 0 done; 3 done, but the result is not usable as it is (its findings say why); 1 a fault of this program or of the engine (a signal
 * ended the trainer; the run is resumable); 2 an error that the user can correct; 130 interrupted (and resumable).
 */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  const json = argv.includes('--json');
  const terminal = createTerminal(json);
  if (name === undefined || name === '--help' || name === 'help') {
    terminal.print(help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    terminal.print(version());
    return 0;
  }
  try {
    const command = commands.find((candidate) => candidate.name === name);
    if (!command)
      throw new UserError(
        'usage',
        `lc-prune: no command "${name}"; there are ${commands.map((known) => known.name).join(', ')}`,
      );
    const { positionals, values } = parseCommand(command, rest);
    if (values['help']) {
      terminal.print(commandHelp(command));
      return 0;
    }
    return await command.run({ positionals, values, terminal });
  } catch (error) {
    terminal.status('');
    if (error instanceof TrainerEnded) {
      const { code, ending, folder } = error;
      terminal.note(`error: ${endingLine(error)}`);
      terminal.emit({ event: 'error', code, message: error.message, ...(ending && { folder, ending }) });
      return 1;
    }
    if (error instanceof UserError) {
      terminal.note(`error: ${error.message}`);
      terminal.emit({ event: 'error', code: error.code, message: error.message, ...error.details });
      return 2;
    }
    terminal.note(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    terminal.emit({ event: 'error', code: 'internal', message: String(error) });
    return 1;
  }
}

// A closed pipe (`lc-prune ... | head`) ends the command; it is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

void main(process.argv.slice(2)).then(
  // Engines keep threads alive, so the process is ended explicitly, after the output is flushed.
  (code) => process.stdout.write('', () => process.stderr.write('', () => process.exit(code))),
);
