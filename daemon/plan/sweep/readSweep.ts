/** Reads a `*.sweep.json` file. */
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { UserError } from '../../protocol/errors.js';
import { plainIssues } from '../../protocol/issueText.js';
import { SweepFile } from '../../protocol/runs/sweep.js';
import { readPlanText } from '../readPlan.js';

/** @param shown the file in messages. @throws UserError('plan-invalid') that names the field. */
export async function readSweepFile(file: string, shown: string): Promise<SweepFile> {
  const text = await readPlanText(file, shown);
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors[0]) {
    const line = text.slice(0, errors[0].offset).split('\n').length;
    const what = printParseErrorCode(errors[0].error);
    throw new UserError('plan-invalid', `${shown}:${line}: not valid JSON (${what})`, { file });
  }
  const parsed = SweepFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = plainIssues(parsed.error.issues, value);
  const field = issue!.path.join('.');
  throw new UserError('plan-invalid', `${shown}: ${field === '' ? '' : `"${field}": `}${issue!.message}`, { file });
}
