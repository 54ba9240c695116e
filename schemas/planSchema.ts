import * as z from 'zod';
import { Plan } from '../daemon/protocol/plan.js';
import { SweepFile } from '../daemon/protocol/runs/sweep.js';

/** JSON Schemas of the files that people write, as text: the editor's completion, hover and validation come from them. */
const schemaText = (type: z.ZodType, title: string, description: string): string => {
  const schema = z.toJSONSchema(type, { target: 'draft-7', io: 'input' });
  const described = { ...schema, title, description, allowComments: true, allowTrailingCommas: true };
  return `${JSON.stringify(described, null, 2)}\n`;
};

export const planSchema = (): string =>
  schemaText(Plan, 'LC Prune plan', 'What to prune, on which data, to which budget.');

export const sweepSchema = (): string =>
  schemaText(SweepFile, 'LC Prune sweep', 'A plan, and the values of its keys that are tried.');
