/** The end of a run in the foreground that has finished. */
import { join, relative } from 'node:path';
import { resultModel } from '../model/files/modelInFolder.js';
import { hasBound } from '../lc/path.js';
import { UserError } from '../protocol/errors.js';
import { finishText } from '../protocol/finishText.js';
import { shellWord } from '../protocol/shellWord.js';
import type { PathPoint } from '../protocol/events.js';
import { pathPoints } from '../runs/pathPoints.js';
import { readFinish } from '../runs/results/finish.js';
import { readExports } from '../runs/results/kept.js';
import { readReference, readRunModel } from '../runs/runModels.js';
import { printComparison, runBaselines } from './baselines.js';
import { measureExport, printExport } from './exportView.js';
import type { Done } from './follow.js';
import { answerLine, answerText, limitText, printCurve } from './pathView.js';
import type { Terminal } from './terminal.js';
import { percent } from './text.js';

/** Set if the run finished with a result that should not be used as it is. */
const UNUSABLE = 3;

/** 0, or the code of an unusable result. */
export const exitCodeOf = ({ findings = [] }: Pick<Done, 'findings'>): number =>
  findings.some(({ unusable }) => unusable) ? UNUSABLE : 0;

/**
 * Runs the baselines of a finished run, then prints its result beside theirs and where the files are.
 * @returns the exit code. @throws UserError, also of a baseline.
 */
export async function finishRun(terminal: Terminal, workspace: string, done: Done, folder: string): Promise<number> {
  const baselines = await runBaselines(folder, terminal, workspace);
  if (!baselines) return 130;
  if (done.path) {
    const others = baselines.map((one) => one.folder);
    return finishPath(terminal, workspace, done, folder, others);
  }
  if (baselines.length > 0) {
    const rows = baselines.map(({ method, done: other }) => [method, other] as const);
    printComparison([['LC', done], ...rows], terminal);
  }
  await finish(terminal, done, folder);
  return exitCodeOf(done);
}

/** The run's result in a sentence. A run whose figures cannot be read is finished all the same. */
async function printFinish(terminal: Terminal, folder: string): Promise<void> {
  const found = await readFinish(folder).catch(() => null);
  if (!found) return;
  const text = finishText(found);
  terminal.emit({ event: 'finish', text, ...found });
  terminal.print('');
  terminal.print(`${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`);
  for (const note of found.notes) terminal.note(`note: ${note}`);
}

/** The last lines of every finished run: its result and where the files are; the last JSON line is `done`. */
async function finish(terminal: Terminal, done: Done, folder: string): Promise<void> {
  await printFinish(terminal, folder);
  terminal.print('');
  terminal.print(`model   ${relative(process.cwd(), await resultModel(folder))}`);
  terminal.print(`report  ${relative(process.cwd(), join(folder, 'result', 'report.html'))}`);
  terminal.emit({ ...done, folder });
}

/**
 * Prints the curve, the answer, and sizes and latency of the model it names. @param others folders of curves beside it.
 * @throws UserError('budget-impossible') if a bound was asked for and no point met it; everything is written by then.
 */
async function finishPath(
  terminal: Terminal,
  workspace: string,
  done: Done,
  folder: string,
  others: readonly string[],
): Promise<number> {
  const curves = await Promise.all(
    [folder, ...others].map(async (one) => {
      const { method, points } = await pathPoints(one);
      return { name: method, points };
    }),
  );
  const answer = done.path!;
  const point = curves[0]!.points.find((one) => one.point === answer.point) as PathPoint;
  terminal.print('');
  printCurve(curves, answer, terminal);
  terminal.print('');
  const isBound = hasBound({ ...answer, maxError: answer.maxError ?? null });
  if (isBound || answer.met) terminal.print(answerText(point, answer));
  terminal.print('');
  const [model, reference] = [await readRunModel(folder), await readReference(folder, workspace)];
  const measured = await readExports(folder);
  printExport({ ...(await measureExport(model, reference, terminal)), measured }, terminal);
  await printFinish(terminal, folder);
  terminal.print('');
  terminal.print(`model   ${relative(process.cwd(), await resultModel(folder))}`);
  terminal.print(`report  ${relative(process.cwd(), join(folder, 'result', 'report.html'))}`);
  terminal.print(
    `others  lc-prune export ${shellWord(relative(process.cwd(), folder) || folder)} --point N --format FORMAT`,
  );
  terminal.emit(answerLine(point, answer, folder));
  terminal.emit({ ...done, folder });
  if (isBound && !answer.met) {
    throw new UserError(
      'budget-impossible',
      `no budget of the path has ${limitText(answer)}; the best, point ${answer.point}, has ${percent(point.decision)} (the reference ${percent(answer.reference)}): ask for larger --budgets, allow more error, or try more --refinements`,
    );
  }
  return exitCodeOf(done);
}
