/**
 * Budgets and goals as users type them, in the budget box and on the command line: "1%", "40 kB", "10x smaller", "half the FLOPs", "lose at most
 * 0.5%", "97% accuracy". A ratio is converted to a budget at once; a goal on the error is a bound for the search of a path.
 */
import type { Budget, ErrorBound } from './plan.js';
import { rounded } from './format.js';

/** A budget for the result, or a bound that the smallest network must meet. */
export type Goal = { readonly budget: Budget } | { readonly bound: ErrorBound };

/** One interpretation of the typed text. */
export type GoalReading = Goal & {
  /** Selects its sentence. "increase" and "error" are bounds. */
  readonly kind: 'keep' | 'weights' | 'bytes' | 'flops' | 'neurons' | 'pattern' | 'increase' | 'error';
  /** The value for the plan. */
  readonly value: string;
};

/** Why the text is rejected. "time": it is a latency, which no budget can guarantee. */
export type GoalProblem = 'empty' | 'unreadable' | 'range' | 'time';
export type GoalInput = { readonly readings: readonly GoalReading[] } | { readonly problem: GoalProblem };

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const AT_MOST = '(?:at most|no more than|not more than|up to|less than|under|below|max(?:imum)?|within|<=?|≤)';
const AT_LEAST = '(?:at least|no less than|not less than|more than|over|above|min(?:imum)?|>=?|≥)';
const POINTS = '(?:%|(?:%|percentage)?\\s*points?|pp|pts?)';
const REFERENCE = '(?:\\s+(?:than|as|of|from) (?:the )?(?:reference|original|now|before|today))?';

const numberOf = (text: string): number => Number(text.replace(',', '.'));

/** Percent as in a plan, without an exponent; null: too small to be meant, or above 100. */
function percentText(percent: number): string | null {
  const value = rounded(percent, 6);
  return value > 100 || (value !== 0 && value < 1e-6) ? null : `${value}%`;
}

const one = (reading: GoalReading): GoalInput => ({ readings: [reading] });
const range: GoalInput = { problem: 'range' };

/** The interpretations of a share in percent: weights first, then FLOPs, then neurons. */
function shareReadings(percent: number, word: string): GoalInput {
  const value = percentText(percent);
  if (value === null) return range;
  const weights: GoalReading = { kind: 'keep', value, budget: { keep: value } };
  const flops: GoalReading = { kind: 'flops', value, budget: { flops: value } };
  const neurons: GoalReading = { kind: 'neurons', value, budget: { neurons: value } };
  if (/^(fl|faster|quicker|op|comput|mac)/.test(word)) return one(flops);
  if (/^(n|f|units?|channels?)/.test(word)) return one(neurons);
  if (/^(w|k|p|s)/.test(word)) return one(weights);
  return word === '' ? { readings: [weights, flops, neurons] } : { problem: 'unreadable' };
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
const THING =
  '(weights?|parameters?|params?|size|flops?|operations?|ops|compute|computation|macs?|neurons?|filters?|units?|channels?)';

const COUNTED: Readonly<Record<string, number>> = { half: 1 / 2, third: 1 / 3, quarter: 1 / 4, fifth: 1 / 5, tenth: 1 / 10, twentieth: 1 / 20, hundredth: 1 / 100, thousandth: 1 / 1000 }; // prettier-ignore

/** "smaller" refers to weights; a size in bytes needs a budget in bytes. */
const smaller = (share: number, said: string | undefined, thing: string | undefined): GoalInput =>
  share > 0 && share <= 1
    ? shareReadings(100 * share, thing ?? (said && /faster|quicker/.test(said) ? 'flops' : said ? 'weights' : ''))
    : range;

/** Ratios and words for shares, the first that fits. */
const RATIOS: readonly Rule[] = [
  {
    form: new RegExp(
      `^${NUMBER}\\s*(?:x|-?\\s?fold|times)\\s*(smaller|fewer|less|lighter|faster|quicker|reduction|compression)?(?:\\s+(?:in )?${THING})?$`,
    ),
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

const BYTES = { b: 'B', byte: 'B', bytes: 'B', kb: 'kB', kib: 'kB', mb: 'MB', mib: 'MB', gb: 'GB', gib: 'GB' };

function budgetOf(input: string): GoalInput {
  const pattern = /^(\d+)\s*:\s*(\d+)$/.exec(input);
  if (pattern) {
    const [n, m] = [Number(pattern[1]), Number(pattern[2])];
    if (n < 1 || m > 64 || n >= m) return range;
    return one({ kind: 'pattern', value: `${n}:${m}`, budget: { pattern: `${n}:${m}` } });
  }
  const size = new RegExp(`^(?:(?:fit (?:in|into|on)|${AT_MOST})\\s*)?${NUMBER}\\s*(${Object.keys(BYTES).join('|')})(?: on disk)?$`).exec(input); // prettier-ignore
  if (size) {
    const value = `${numberOf(size[1]!)} ${BYTES[size[2]! as keyof typeof BYTES]}`;
    return one({ kind: 'bytes', value, budget: { bytes: value } });
  }
  const percent = new RegExp(`^${NUMBER}\\s*%\\s*(?:of\\s+)?(?:the\\s+)?([a-z]*)$`).exec(input);
  if (percent) return shareReadings(numberOf(percent[1]!), percent[2]!);
  const whole = /^(\d{1,3}(?:[,_ ]\d{3})+|\d+)\s*([a-z]*)$/.exec(input);
  if (whole && whole[1] !== '0') {
    const value = Number(whole[1]!.replace(/[,_ ]/g, ''));
    const word = whole[2]!;
    if (!Number.isSafeInteger(value)) return range;
    const weights: GoalReading = { kind: 'weights', value: String(value), budget: { weights: value } };
    const neurons: GoalReading = { kind: 'neurons', value: String(value), budget: { neurons: value } };
    if (/^(n|units?|filters?|channels?)/.test(word)) return one(neurons);
    if (/^(w|param)/.test(word)) return one(weights);
    if (word) return { problem: TIME.test(input) ? 'time' : 'unreadable' };
    // "1" could be one weight, but a share is more likely.
    const share = value <= 100 ? shareReadings(value, '') : null;
    return { readings: [...(share && 'readings' in share ? share.readings : []), weights, neurons] };
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

/** Longer text is rejected unread. */
const MAX_LENGTH = 200;

/** Parses a budget or a goal. Ambiguous text gives several readings, the likeliest first; a plan accepts every budget and bound returned. */
export function parseGoal(text: string): GoalInput {
  const input = normal(text.slice(0, MAX_LENGTH + 1));
  if (!input) return { problem: 'empty' };
  if (input.length > MAX_LENGTH) return { problem: 'unreadable' };
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
  const word = { keep: '', weights: ' weights', bytes: '', flops: ' flops', neurons: ' neurons', pattern: '' }[kind];
  if (word === undefined || (typeof value !== 'string' && typeof value !== 'number')) return '';
  const text = `${value}${word}`;
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

/** The suggestions before anything is typed. */
export const SUGGESTED: readonly string[] = ['1%', '2%', '5%', '10%', '20%', 'lose at most 0.5%'];
