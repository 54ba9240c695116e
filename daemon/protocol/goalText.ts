/**
 * Budgets and goals as users type them, in the budget box and on the command line: "1%", "40 kB", "10x smaller", "half the FLOPs", "lose at most
 * 0.5%", "97% accuracy". A ratio is converted to a budget at once; a goal on the error is a bound for the search of a path.
 */
import { isKind, wordsOf } from '../lc/budgets/budgetSpec.js';
import { WORDS, type Kind } from '../lc/budgets/registry.js';
import { AT_MOST, NUMBER, numberOf, percentText } from '../lc/budgets/typed.js';
import type { Budget, ErrorBound } from './plan.js';
import { rounded } from './format.js';

/** A budget for the result, or a bound that the smallest network must meet. */
export type Goal = { readonly budget: Budget } | { readonly bound: ErrorBound };

/** One interpretation of the typed text. */
export type GoalReading = Goal & {
  /** Which sentence goes with it. "increase" and "error" are bounds. */
  readonly kind: Kind | 'increase' | 'error';
  /** The value as it goes into the plan. */
  readonly value: string;
};

/** Why the text is rejected. "time": it is a latency, which no budget can guarantee. */
export type GoalProblem = 'empty' | 'unreadable' | 'range' | 'time';
export type GoalInput = { readonly readings: readonly GoalReading[] } | { readonly problem: GoalProblem };

const AT_LEAST = '(?:at least|no less than|not less than|more than|over|above|min(?:imum)?|>=?|≥)';
const POINTS = '(?:%|(?:%|percentage)?\\s*points?|pp|pts?)';
const REFERENCE = '(?:\\s+(?:than|as|of|from) (?:the )?(?:reference|original|now|before|today))?';

const one = (reading: GoalReading): GoalInput => ({ readings: [reading] });
const range: GoalInput = { problem: 'range' };

/** Kinds of budget that can be typed, in the order of the registry. */
const TYPED = (Object.keys(WORDS) as Kind[]).flatMap((kind) => {
  const { typed } = wordsOf(kind);
  return typed ? [{ kind, typed }] : [];
});
/** Those whose values are shares, and those whose values are numbers. */
const SHARES = TYPED.flatMap(({ kind, typed: { share } }) => (share ? [{ kind, share }] : []));
const COUNTS = TYPED.flatMap(({ kind, typed: { count } }) => (count ? [{ kind, count }] : []));

const readingOf = (kind: Kind, value: string | number): GoalReading => ({
  kind,
  value: String(value),
  budget: { [kind]: value },
});

/** What a share in percent can mean, by the word behind it: of the weights first, then of other things. */
function shareReadings(percent: number, word: string): GoalInput {
  const value = percentText(percent);
  if (value === null) return range;
  const meant = word === '' ? SHARES : SHARES.filter(({ share }) => share.of.test(word));
  return meant.length > 0 ? { readings: meant.map(({ kind }) => readingOf(kind, value)) } : { problem: 'unreadable' };
}

function bound(kind: 'increase' | 'error', percent: number): GoalInput {
  const value = percent >= 100 ? null : percentText(percent);
  if (value === null) return range;
  return one({ kind, value, bound: kind === 'error' ? { maxError: value } : { maxErrorIncrease: value } });
}

/** 0.97 and "97%" are the same accuracy. */
const percentOf = (digits: string, sign: string | undefined): number =>
  numberOf(digits) < 1 && !sign ? 100 * numberOf(digits) : numberOf(digits);

interface Rule {
  readonly form: RegExp;
  read(...groups: (string | undefined)[]): GoalInput;
}

const increase = (digits: string | undefined): GoalInput => bound('increase', numberOf(digits!));

/** Goals on the error, the first that fits. */
const BOUNDS: readonly Rule[] = [
  {
    form: new RegExp(
      `^(?:lossless|(?:lose|losing) nothing|no loss|without (?:any )?loss|(?:no|not|never) worse|no accuracy loss|no loss of accuracy|(?:the )?same (?:error|accuracy)|(?:just )?as (?:good|accurate))${REFERENCE}$`,
    ),
    read: () => bound('increase', 0),
  },
  {
    form: new RegExp(
      `^(?:(?:may |can )?(?:lose|loses|losing|loss|drop|give up|cost)s?)(?: of)?\\s*${AT_MOST}?\\s*${NUMBER}\\s*${POINTS}?(?:\\s+(?:of )?(?:the )?(?:accuracy|error|points?))?$`,
    ),
    read: increase,
  },
  {
    form: new RegExp(
      `^(?:${AT_MOST}|\\+|by)?\\s*${NUMBER}\\s*${POINTS}?\\s*(?:worse|lost|loss|drop|(?:more|higher|larger|extra) error|(?:less|lower) (?:accuracy|accurate)|less accurate|(?:accuracy|error) (?:loss|lost|drop|increase)|loss of accuracy|of accuracy lost)${REFERENCE}$`,
    ),
    read: increase,
  },
  {
    form: new RegExp(`^(?:within\\s*|\\+\\s*)${NUMBER}\\s*${POINTS}(?:\\s+(?:more|worse))?${REFERENCE}$`),
    read: increase,
  },
  {
    form: new RegExp(`^${AT_MOST}?\\s*${NUMBER}\\s*(?:(?:%|percentage)?\\s*points?|pp|pts?)$`),
    read: increase,
  },
  {
    form: new RegExp(
      `^(?:an? )?(?:test |validation |training )?error(?: rate)?(?: of| is)?\\s*[:=]?\\s*${AT_MOST}?\\s*${NUMBER}\\s*(%)?$`,
    ),
    read: (digits, sign) => bound('error', percentOf(digits!, sign)),
  },
  {
    form: new RegExp(`^${AT_MOST}?\\s*${NUMBER}\\s*(%)?\\s*(?:errors?(?: rate)?|wrong(?: answers)?)$`),
    read: (digits, sign) => bound('error', percentOf(digits!, sign)),
  },
  {
    form: new RegExp(
      `^(?:an? )?(?:test |validation |training )?(?:accuracy|acc)(?: of| is)?\\s*[:=]?\\s*${AT_LEAST}?\\s*${NUMBER}\\s*(%)?$`,
    ),
    read: (digits, sign) => accuracy(digits!, sign),
  },
  {
    form: new RegExp(`^${AT_LEAST}?\\s*${NUMBER}\\s*(%)?\\s*(?:accuracy|acc|accurate|correct|right)$`),
    read: (digits, sign) => accuracy(digits!, sign),
  },
];

function accuracy(digits: string, sign: string | undefined): GoalInput {
  // 1 is all of it, as 100% is.
  const percent = numberOf(digits) === 1 && !sign ? 100 : percentOf(digits, sign);
  return percent > 100 || percent === 0 ? range : bound('error', 100 - percent);
}

/** "weights", "FLOPs" after "of the": the quantity of a share; "smaller" and "fewer" alone may refer to any of them. */
const OF = '(?:of )?(?:the |all |its )?';
const anyOf = (words: readonly string[]): string => `(${words.join('|')})`;
const THING = anyOf(SHARES.flatMap(({ share }) => share.things));
const COMPARATIVE = anyOf(SHARES.flatMap(({ share }) => share.comparatives));

const COUNTED: Readonly<Record<string, number>> = { half: 1 / 2, third: 1 / 3, quarter: 1 / 4, fifth: 1 / 5, tenth: 1 / 10, twentieth: 1 / 20, hundredth: 1 / 100, thousandth: 1 / 1000 }; // prettier-ignore

/** The quantity that a comparative refers to: "smaller" to weights, "faster" to FLOPs. */
const thingOf = (said: string): string =>
  SHARES.find(({ share }) => share.comparatives.some((word) => new RegExp(word).test(said)))?.share.things[0] ?? '';

const smaller = (share: number, said: string | undefined, thing: string | undefined): GoalInput =>
  share > 0 && share <= 1 ? shareReadings(100 * share, thing ?? (said ? thingOf(said) : '')) : range;

/** Ratios and words for shares, the first that fits. */
const RATIOS: readonly Rule[] = [
  {
    form: new RegExp(`^${NUMBER}\\s*(?:x|-?\\s?fold|times)\\s*${COMPARATIVE}?(?:\\s+(?:in )?${THING})?$`),
    read: (digits, said, thing) => smaller(1 / numberOf(digits!), said, thing),
  },
  {
    form: new RegExp(`^(?:keep\\s+)?(\\d+)\\s*/\\s*(\\d+)(?:\\s+${OF}${THING})?$`),
    read: (part, whole, thing) => smaller(Number(part) / Number(whole), undefined, thing),
  },
  {
    form: new RegExp(`^(?:keep\\s+)?(?:an? |one )?(${Object.keys(COUNTED).join('|')})(?:\\s+${OF}${THING}| as (?:big|large))?$`), // prettier-ignore
    read: (word, thing) => smaller(COUNTED[word!]!, undefined, thing),
  },
  {
    form: new RegExp(
      `^(?:prune|remove|drop|cut|save)\\s+${NUMBER}\\s*%(?:\\s+${OF}${THING})?$|^${NUMBER}\\s*%\\s*(?:smaller|fewer|less|sparse|sparsity|pruned|removed)(?:\\s+${THING})?$`,
    ),
    read: (cut, ofCut, rest, ofRest) => {
      const percent = numberOf((cut ?? rest)!);
      return percent >= 100 ? range : smaller((100 - percent) / 100, cut ?? 'fewer', ofCut ?? ofRest);
    },
  },
];

const TIME = new RegExp(`^(?:${AT_MOST}|in)?\\s*${NUMBER}\\s*(?:ms|µs|us|s|sec(?:onds?)?|milliseconds?)(?:\\s.*)?$`);

function budgetOf(input: string): GoalInput {
  for (const { kind, typed } of TYPED) {
    const value = typed.read?.(input) ?? null;
    if (value === 'range') return range;
    if (value !== null) return one(readingOf(kind, value as string | number));
  }
  const percent = new RegExp(`^${NUMBER}\\s*%\\s*(?:of\\s+)?(?:the\\s+)?([a-z]*)$`).exec(input);
  if (percent) return shareReadings(numberOf(percent[1]!), percent[2]!);
  const whole = /^(\d{1,3}(?:[,_ ]\d{3})+|\d+)\s*([a-z]*)$/.exec(input);
  if (whole && whole[1] !== '0') {
    const value = Number(whole[1]!.replace(/[,_ ]/g, ''));
    const word = whole[2]!;
    if (!Number.isSafeInteger(value)) return range;
    const meant = word === '' ? COUNTS : COUNTS.filter(({ count }) => count.of.test(word));
    if (meant.length === 0) return { problem: TIME.test(input) ? 'time' : 'unreadable' };
    // "1" could be one weight, but a share is what is meant first.
    const share = word === '' && value <= 100 ? shareReadings(value, '') : null;
    const counts = meant.map(({ kind }) => readingOf(kind, value));
    return { readings: [...(share && 'readings' in share ? share.readings : []), ...counts] };
  }
  const fraction = /^(0?[.,]\d+)$/.exec(input);
  if (fraction) {
    const value = rounded(numberOf(fraction[1]!) * 100, 12);
    return value === 0 ? range : shareReadings(value, '');
  }
  return { problem: TIME.test(input) ? 'time' : 'unreadable' };
}

/** @returns the input in the form that the rules match: lower case, one space, "%", "x". */
const normal = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replaceAll('×', 'x')
    .replaceAll('μ', 'µ')
    .replace(/ ?(?:percentage points?|percent points?)/g, ' points')
    .replace(/ ?per ?cent(?:age)?\b/g, '%');

/** "50% of the FLOPs, in multiples of 8" */
const MULTIPLES = /^(.+?),? (?:(?:and |in |with |at |to )*(?:a )?multiples? of|rounded to) (\d{1,4})$/;

/** The readings that can be of whole units, and are then. */
function inMultiples(input: GoalInput, roundTo: number): GoalInput {
  if (!('readings' in input)) return input;
  if (roundTo < 1 || roundTo > 1024) return range;
  const readings = input.readings.flatMap((reading): GoalReading[] => {
    if (!('budget' in reading) || !isKind(reading.kind) || wordsOf(reading.kind).role !== 'goal') return [];
    const units = wordsOf(reading.kind).wholeUnits ? {} : { prune: 'neurons' as const };
    return [{ ...reading, budget: { ...reading.budget, ...units, roundTo } }];
  });
  return readings.length > 0 ? { readings } : { problem: 'unreadable' };
}

/** Longer text is rejected unread. */
const MAX_LENGTH = 200;

/** Parses a budget or a goal. Ambiguous text gives several readings, the likeliest first; a plan accepts every budget and bound returned. */
export function parseGoal(text: string): GoalInput {
  const input = normal(text.slice(0, MAX_LENGTH + 1));
  if (!input) return { problem: 'empty' };
  if (input.length > MAX_LENGTH) return { problem: 'unreadable' };
  const multiples = MULTIPLES.exec(input);
  if (multiples) return inMultiples(parseGoal(multiples[1]!), Number(multiples[2]));
  for (const { form, read } of [...BOUNDS, ...RATIOS]) {
    const found = form.exec(input);
    if (found) return read(...found.slice(1));
  }
  return budgetOf(input.replace(/^(?:keep|leave) /, ''));
}

/** A plan's budget as a user would type it; '' if that cannot express all of it. */
export function budgetText(budget: unknown): string {
  if (typeof budget !== 'object' || budget === null) return '';
  const [entry, ...more] = Object.entries(budget);
  if (!entry || more.length > 0) return '';
  const [kind, value] = entry as [string, unknown];
  const typed = isKind(kind) ? wordsOf(kind).typed : undefined;
  if (!typed || (typeof value !== 'string' && typeof value !== 'number')) return '';
  const text = [value, typed.unit].filter((part) => part !== undefined).join(' ');
  const parsed = parseGoal(text);
  // Text that would be read differently ("0.5 flops") is not offered.
  return 'readings' in parsed && parsed.readings[0]?.kind === kind ? text : '';
}

/** The same for a plan's bound on the error; '' if it has none that a user would type. */
export function boundText(path: unknown): string {
  const { maxErrorIncrease, maxError } = (path ?? {}) as Record<string, unknown>;
  const percent = (value: unknown): string | null =>
    typeof value === 'string' ? value.trim() : typeof value === 'number' ? percentText(100 * value) : null;
  const [increased, all] = [percent(maxErrorIncrease), percent(maxError)];
  const text = increased !== null ? `lose at most ${increased}` : all !== null ? `error ${all}` : '';
  return 'readings' in parseGoal(text) ? text : '';
}

/** The sentence that offers a budget, and its value in it: ["Keep {0} of the weights", "1%"]. null: a bound on the error. */
export function offerOf(reading: GoalReading): readonly [sentence: string, value: string] | null {
  const typed = isKind(reading.kind) ? wordsOf(reading.kind).typed : undefined;
  if (!typed || !('budget' in reading)) return null;
  const { offer, shown = String } = typed;
  return [offer, shown(reading.budget[reading.kind as Kind]!)];
}

/** What is offered before anything is typed. */
export const SUGGESTED: readonly string[] = ['1%', '2%', '5%', '10%', '20%', 'lose at most 0.5%'];

/** What one can type: a budget of each kind, and a ratio; with `goals`, also goals on the error. */
export function examples(goals: boolean): readonly string[] {
  const [first, ...others] = TYPED.map(({ typed }) => typed.example);
  return [first!, '10x smaller', ...(goals ? ['lose at most 0.5%', '97% accuracy'] : []), ...others];
}
