import type { Budget } from '../../daemon/protocol/plan.js';

/** One way to read what the user typed. */
export interface BudgetReading {
  budget: Budget;
  /** "keep", "weights", ...: which translated label goes with it. */
  kind: 'keep' | 'weights' | 'bytes' | 'flops' | 'neurons' | 'pattern';
  /** The value as it goes into the plan. */
  value: string;
}

export type BudgetInput = { readings: BudgetReading[] } | { problem: 'empty' | 'unreadable' | 'range' };

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;

/** What a share in percent can mean: weights first, then FLOPs, then neurons. */
function shareReadings(percent: number, word: string): BudgetReading[] {
  const value = `${percent}%`;
  const all: BudgetReading[] = [
    { kind: 'keep', value, budget: { keep: value } },
    { kind: 'flops', value, budget: { flops: value } },
    { kind: 'neurons', value, budget: { neurons: value } },
  ];
  if (/^fl/.test(word)) return [all[1]!];
  if (/^(n|f|units?|filters?)/.test(word)) return [all[2]!];
  return /^(w|k)/.test(word) ? [all[0]!] : all;
}

/**
 * Reads a budget as people type it: "1%", "0.01", "2662", "2,662 weights", "40 kB", "50% flops", "100 neurons", "2:4".
 * Several meanings come back as several readings, the likeliest first.
 */
export function parseBudget(text: string): BudgetInput {
  const input = text.trim().toLowerCase();
  if (!input) return { problem: 'empty' };
  const pattern = /^(\d+)\s*:\s*(\d+)$/.exec(input);
  if (pattern) {
    const [n, m] = [Number(pattern[1]), Number(pattern[2])];
    if (n < 1 || m > 64 || n >= m) return { problem: 'range' };
    return { readings: [{ kind: 'pattern', value: `${n}:${m}`, budget: { pattern: `${n}:${m}` } }] };
  }
  const size = new RegExp(`^${NUMBER}\\s*(b|kb|mb|gb|bytes?|kib|mib)$`).exec(input);
  if (size) {
    const unit = { b: 'B', byte: 'B', bytes: 'B', kb: 'kB', kib: 'kB', mb: 'MB', mib: 'MB', gb: 'GB' }[size[2]!]!;
    const value = `${Number(size[1]!.replace(',', '.'))} ${unit}`;
    return { readings: [{ kind: 'bytes', value, budget: { bytes: value } }] };
  }
  const percent = new RegExp(`^${NUMBER}\\s*%\\s*(?:of\\s+)?(?:the\\s+)?([a-z]*)$`).exec(input);
  if (percent) {
    const value = Number(percent[1]!.replace(',', '.'));
    return value > 100 ? { problem: 'range' } : { readings: shareReadings(value, percent[2]!) };
  }
  const whole = /^(\d{1,3}(?:[,_ ]\d{3})+|\d+)\s*([a-z]*)$/.exec(input);
  if (whole && whole[1] !== '0') {
    const value = Number(whole[1]!.replace(/[,_ ]/g, ''));
    const word = whole[2]!;
    if (!Number.isSafeInteger(value)) return { problem: 'range' };
    const weights: BudgetReading = { kind: 'weights', value: String(value), budget: { weights: value } };
    const neurons: BudgetReading = { kind: 'neurons', value: String(value), budget: { neurons: value } };
    if (/^(n|units?|filters?)/.test(word)) return { readings: [neurons] };
    if (/^w/.test(word)) return { readings: [weights] };
    if (word) return { problem: 'unreadable' };
    // "1" could be one weight, but a share is what is meant first.
    const share = value <= 100 ? shareReadings(value, '') : [];
    return { readings: [...share, weights, neurons] };
  }
  const fraction = new RegExp(`^(0?[.,]\\d+)$`).exec(input);
  if (fraction) {
    const value = Number((Number(fraction[1]!.replace(',', '.')) * 100).toPrecision(12));
    return value === 0 ? { problem: 'range' } : { readings: shareReadings(value, '') };
  }
  return { problem: 'unreadable' };
}

/** A plan's budget as one would type it; '' where it says more than that. */
export function budgetText(budget: unknown): string {
  if (typeof budget !== 'object' || budget === null) return '';
  const [entry, ...more] = Object.entries(budget);
  if (!entry || more.length > 0) return '';
  const [kind, value] = entry as [string, unknown];
  const word = { keep: '', weights: ' weights', bytes: '', flops: ' flops', neurons: ' neurons', pattern: '' }[kind];
  if (word === undefined || (typeof value !== 'string' && typeof value !== 'number')) return '';
  const text = `${value}${word}`;
  const parsed = parseBudget(text);
  // What reads differently ("0.5 flops") is not offered.
  return 'readings' in parsed && parsed.readings[0]?.kind === kind ? text : '';
}

/** The budgets offered before anything is typed. */
export const SUGGESTED: readonly string[] = ['1%', '2%', '5%', '10%', '20%'];
