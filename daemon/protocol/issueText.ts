/** Turns a validator's findings into sentences that name the field, because a validator's own words are for programmers. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export interface PlainIssue {
  readonly path: readonly (string | number)[];
  /** A whole sentence, such as: "seed" must be a whole number; it is "x". */
  readonly message: string;
  /** A key that the object at `path` (without its last part) does not have. */
  readonly unknownKey?: string;
  /** The allowed texts, if the value must be one of a list. */
  readonly choices?: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'nothing (null)',
  undefined: 'left out',
};

/** Longer values are cut. */
const SHOWN = 60;
/** Sentences of one error. */
const MOST = 3;

const listed = (parts: readonly string[]): string => {
  const all = [...new Set(parts)];
  return all.length < 2 ? (all[0] ?? 'another value') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
};

const shownValue = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}..."` : text;
};

const shownPath = (path: readonly (string | number)[]): string =>
  path.length > 0 ? `"${path.join('.')}"` : 'the whole';

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );

/** A message in our schemas is a noun phrase or a sentence; the validator's own begin like this. */
const OWN_WORDS = /^(Invalid|Too (small|big)|Unrecognized|Required|Expected)/;

function boundText(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const { origin, inclusive = true } = issue;
  const small = issue.code === 'too_small';
  const bound = String(small ? issue.minimum : issue.maximum);
  if (origin === 'string')
    return small && bound === '1'
      ? 'text that is not empty'
      : `text of at ${small ? 'least' : 'most'} ${bound} characters`;
  if (origin === 'array' || origin === 'set' || origin === 'object' || origin === 'map')
    return `a list of at ${small ? 'least' : 'most'} ${bound} ${bound === '1' ? 'entry' : 'entries'}`;
  const kind = origin === 'int' ? 'a whole number' : 'a number';
  if (inclusive) return `${kind} of at ${small ? 'least' : 'most'} ${bound}`;
  return `${kind} ${small ? 'above' : 'below'} ${bound}`;
}

/** The expected values: noun phrases, any of which is valid. */
function wanted(issue: Issue): string[] {
  if (issue.message && !OWN_WORDS.test(issue.message)) return [issue.message];
  switch (issue.code) {
    case 'invalid_type':
      return [TYPES[issue.expected] ?? 'another value'];
    case 'too_small':
    case 'too_big':
      return [boundText(issue)];
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value) ?? String(value));
    case 'not_multiple_of':
      return [`a multiple of ${issue.divisor}`];
    case 'invalid_format':
      return ['text of another form'];
    case 'invalid_union': {
      // Branches of the value's own type are more informative than that it is of none of the others.
      const own = issue.errors.filter((branch) => !branch.some(isOtherType));
      return (own.length > 0 ? own : issue.errors).flatMap((branch) => branch.flatMap(wanted));
    }
    default:
      return ['another value'];
  }
}

const isOtherType = ({ code, path }: Issue): boolean => code === 'invalid_type' && path.length === 0;

/** @param value the whole validated value. @param above the position at which the issues' paths begin. */
export function plainIssues(
  issues: readonly Issue[],
  value: unknown,
  above: readonly (string | number)[] = [],
): PlainIssue[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key ${shownPath([...path, key])}`,
        unknownKey: key,
      }));
    const actual = valueAt(value, path);
    if (issue.code === 'invalid_union' && typeof actual === 'object' && actual !== null) {
      // The branch that matched furthest is the intended one: an object with one bad key is not "not text".
      const branch = issue.errors.find((one) => one.length > 0 && !one.some(isOtherType));
      if (branch) return plainIssues(branch, value, path);
    }
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element') return plainIssues(issue.issues, value, path);
    const what = listed(wanted(issue));
    const message =
      actual === undefined
        ? `${shownPath(path)} is missing; it must be ${what}`
        : `${shownPath(path)} must be ${what}; it is ${shownValue(actual)}`;
    const choices = issue.code === 'invalid_value' ? { choices: issue.values.map(String) } : {};
    return [{ path, message, ...choices }];
  });
}

/** One line: the first problems of a value. @param value the validated value. */
export function issueText(error: { readonly issues: readonly Issue[] }, value: unknown): string {
  const all = plainIssues(error.issues, value).map(({ message }) => message);
  const more = all.length > MOST ? ` (and ${all.length - MOST} more)` : '';
  return `${all.slice(0, MOST).join('; ')}${more}`;
}
