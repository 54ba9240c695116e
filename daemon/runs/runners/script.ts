/** The script of a job: a shell that starts the run's worker, hands signals on to it, and queues the job again where that is asked for. */
import { bundlePath } from '../../files/bundlePath.js';
import { UserError } from '../../protocol/errors.js';
import { shellWord } from '../../protocol/shellWord.js';
import type { Task } from './runner.js';

/** Exit code of a worker whose run is to be continued: `EX_TEMPFAIL` of sysexits(3). */
export const TRY_AGAIN = 75;

/** The command line of this product: the worker is one of its commands. @throws UserError if it is not installed whole. */
export function cliPath(): string {
  const found = bundlePath('cli');
  if (!found)
    throw new UserError(
      'engine-unavailable',
      'the command line is missing from this installation (dist/cli.mjs); reinstall, or run "npm run build"',
    );
  return found;
}

const posix = (path: string): string => shellWord(path, 'linux');

/** Node.js of this process where the other machine has it at the same path, else the one of its PATH. An editor's own executable runs as Node.js if its environment says so. */
function nodeLines(): string[] {
  const lines = [`node=${posix(process.execPath)}`, '[ -x "$node" ] || node=node'];
  return process.env['ELECTRON_RUN_AS_NODE'] === undefined ? lines : [...lines, 'export ELECTRON_RUN_AS_NODE=1'];
}

interface Parts {
  readonly shell: string;
  /** Directives, one a line. */
  readonly head: readonly string[];
  /** The user's own lines; the job fails at the first that does. */
  readonly setup: readonly string[];
  /** Of tasks in an array: the variable with the number of this one. */
  readonly number?: string;
  /** The command that queues this job again. */
  readonly again?: string;
}

/** @param tasks in the order of their numbers. */
export function jobScript(tasks: readonly Task[], { shell, head, setup, number, again }: Parts): string {
  const words = ({ folder, workspace }: Task) => `run=${posix(folder)} workspace=${posix(workspace)}`;
  const choice =
    number === undefined
      ? [words(tasks[0]!)]
      : [`case "$${number}" in`, ...tasks.map((task, i) => `${i}) ${words(task)} ;;`), 'esac'];
  return [
    `#!${shell}`,
    ...head,
    ...choice,
    ...(setup.length > 0 ? ['set -e', ...setup, 'set +e'] : []),
    ...nodeLines(),
    'worker=',
    '# The worker writes a checkpoint when it gets the signal.',
    `trap '[ -z "$worker" ] || kill -TERM "$worker" 2>/dev/null' TERM INT HUP USR1`,
    `"$node" ${posix(cliPath())} work "$run" --workspace "$workspace" &`,
    'worker=$!',
    'wait "$worker"; code=$?',
    '# A signal ends "wait" before the worker has ended.',
    'while kill -0 "$worker" 2>/dev/null; do wait "$worker"; code=$?; done',
    ...(again === undefined ? [] : [`[ "$code" -ne ${TRY_AGAIN} ] || ${again}`]),
    'exit "$code"',
    '',
  ].join('\n');
}
