/** Measurements of a result that are stored in its run folder. Reads files only, and loads no engine. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { MeasuredExports } from '../../protocol/exports.js';
import { WhatChanged } from '../../protocol/whatChanged.js';
import { changedFile, runPaths } from '../../trainer/process/runFolder.js';

/** null: missing, of another version, or damaged; it can then be measured again. */
async function readAs<S extends z.ZodType>(schema: S, file: string): Promise<z.infer<S> | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Sizes, errors and speed of a run's result. */
export const readExports = (folder: string): Promise<MeasuredExports | null> =>
  readAs(MeasuredExports, runPaths(folder).exports);

/** What pruning changed. @param point of a path run; undefined: its result. */
export const readChanged = (folder: string, point?: number): Promise<WhatChanged | null> =>
  readAs(WhatChanged, changedFile(folder, point));
