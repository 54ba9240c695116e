/** Writes the scale of a model's inputs: a JSON file beside the model, for programs and people. */
import { readFile, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../files/atomicWrite.js';
import type { InputScale } from '../model/setup/inputScale.js';
import { UserError } from '../protocol/errors.js';

const values = z.union([z.number(), z.array(z.number())]);
const ScaleFile = z.object({
  inputs: z.array(z.object({ name: z.string(), read: z.string(), scale: values, shift: values })),
});

const ABOUT =
  'The model was pruned and measured on inputs that are not as stored: every stored value x has to be given to it as x * scale + shift (one number for all values of a sample, or one for each, row major).';

/** `model.json` -> `model.inputs.json`; of a folder, `inputs.json` in it. */
export async function scaleFileOf(path: string): Promise<string> {
  if ((await stat(path).catch(() => null))?.isDirectory()) return join(path, 'inputs.json');
  const ending = extname(path);
  return `${ending === '' ? path : path.slice(0, -ending.length)}.inputs.json`;
}

/**
 * Writes it beside the model at `path`, or removes an earlier one if all inputs are as stored.
 * @returns its path; null if there is none. @throws UserError('disk').
 */
export async function writeScaleFile(path: string, inputs: readonly InputScale[]): Promise<string | null> {
  const file = await scaleFileOf(path);
  if (inputs.length === 0) {
    await rm(file, { force: true }).catch(() => undefined);
    return null;
  }
  await writeFileAtomic(file, `${JSON.stringify({ about: ABOUT, inputs }, null, 2)}\n`);
  return file;
}

/** The file's content beside the model at `path`; nothing if there is no such file. @throws UserError('run-invalid') if it is damaged. */
export async function readScaleFile(path: string): Promise<readonly InputScale[]> {
  const file = await scaleFileOf(path);
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return [];
  try {
    return ScaleFile.parse(JSON.parse(text)).inputs;
  } catch {
    throw new UserError('run-invalid', `${file} does not say how inputs are scaled; run again, or remove it`, { file });
  }
}
