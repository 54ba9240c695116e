/** Star, tags and note of a run: `marks.json` in its folder, so that they move with the run. */
import { readFile, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { UserError } from '../../protocol/errors.js';
import { RunMarks, type MarksChange } from '../../protocol/runs/marks.js';
import { runPaths } from '../../trainer/process/runFolder.js';

export const NO_MARKS: RunMarks = { star: false, tags: [], note: '' };

/** null: there are none. @throws UserError('run-invalid') for a damaged file, which may contain a note. */
export async function readMarks(folder: string): Promise<RunMarks | null> {
  const file = runPaths(folder).marks;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('run-invalid', `${file} cannot be read: ${(error as Error).message}`, { file });
  }
  try {
    return RunMarks.parse(JSON.parse(text));
  } catch {
    throw new UserError('run-invalid', `${file} is damaged: mend it, or delete it to begin anew`, { file });
  }
}

/** One change of a run's marks at a time: the second builds upon the first. */
const changing = new Map<string, Promise<unknown>>();

/**
 * Changes the marks of a run; marks that the change does not name stay.
 * @param folder absolute. @returns the new marks. @throws UserError('run-invalid'
 * 'disk').
 */
export async function changeMarks(folder: string, change: MarksChange): Promise<RunMarks> {
  const before = changing.get(folder) ?? Promise.resolve();
  const own = before.catch(() => undefined).then(() => write(folder, change));
  changing.set(folder, own);
  try {
    return await own;
  } finally {
    if (changing.get(folder) === own) changing.delete(folder);
  }
}

async function write(folder: string, change: MarksChange): Promise<RunMarks> {
  const file = runPaths(folder).marks;
  const before = (await readMarks(folder)) ?? NO_MARKS;
  const marks: RunMarks = {
    star: change.star ?? before.star,
    tags: change.tags ?? before.tags,
    note: change.note ?? before.note,
  };
  if (!marks.star && marks.tags.length === 0 && marks.note === '') await unlink(file).catch(() => undefined);
  else await writeFileAtomic(file, `${JSON.stringify(marks, null, 2)}\n`);
  // Watchers look at this folder only, and at each run when it has changed (watchedRuns.ts).
  const now = new Date();
  await utimes(dirname(folder), now, now).catch(() => undefined);
  return marks;
}
