import { UserError } from '../protocol/errors.js';

export { count as countText } from '../protocol/format.js';

/** A data file that cannot be used: one line, "file: what is wrong; the way out". */
export function invalidData(file: string, problem: string, field?: string): UserError {
  return new UserError('data-invalid', `${file}: ${problem}`, field === undefined ? { file } : { file, field });
}

/** The error of missing data. */
export function missingData(file: string, problem: string): UserError {
  return new UserError('data-missing', `${file}: ${problem}`, { file });
}

/** "28 x 28 x 1", or "a single value" for an empty shape. */
export function shapeText(shape: readonly (number | null)[]): string {
  return shape.length === 0 ? 'a single value' : shape.map((n) => n ?? '?').join(' x ');
}

/** At most `limit` items, quoted, for a message of one line. */
export function listText(items: readonly string[], limit = 12): string {
  const shown = items
    .slice(0, limit)
    .map((item) => JSON.stringify(item.length > 60 ? `${item.slice(0, 57)}...` : item));
  return items.length > limit ? `${shown.join(', ')} and ${items.length - limit} more` : shown.join(', ');
}
