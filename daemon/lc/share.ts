/**
 * A share as a fraction: 0.01 or "1%" -> 0.01.
 * @throws RangeError when it is neither a fraction in [0, 1] nor a percentage up to 100%.
 */
export function parseShare(share: number | string): number {
  const text = typeof share === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(share)?.[1] : undefined;
  const fraction = typeof share === 'number' ? share : text === undefined ? NaN : Number(text) / 100;
  if (!(fraction >= 0 && fraction <= 1))
    throw new RangeError(`"${share}" is neither a fraction up to 1 nor a percentage up to 100%`);
  return fraction;
}

/** A number of things, or a share of them, in [0, 1]. */
export type Amount = { readonly count: number } | { readonly share: number };

/**
 * For keys that accept both: whole numbers from 1 on are counts (1 is one, and so is 1.0, which JSON does not distinguish); numbers below 1 and
 * percentages are shares ("100%" is all).
 * @throws RangeError when it is neither.
 */
export function parseAmount(amount: number | string): Amount {
  if (typeof amount !== 'number' || amount < 1) return { share: parseShare(amount) };
  if (!Number.isInteger(amount)) throw new RangeError(`${amount} is neither a whole number nor a share below 1`);
  return { count: amount };
}

/** ceil(share * count), except when only floating-point error raises the product above an integer (0.07 * 100 is 7.000000000000001). */
export function shareOf(share: number, count: number): number {
  const exact = share * count;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) <= 1e-14 * exact ? nearest : Math.ceil(exact);
}

const UNITS: Record<string, number> = { B: 1, kB: 1024, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/**
 * A size in bytes: 8192 or "8 kB" (1 kB = 1024 bytes) -> 8192. Fractions of a byte are dropped.
 * @throws RangeError when it is neither.
 */
export function parseBytes(size: number | string): number {
  if (typeof size === 'number' && size >= 0 && Number.isFinite(size)) return Math.floor(size);
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB)\s*$/.exec(String(size)) ?? [];
  if (digits === undefined || unit === undefined)
    throw new RangeError(`"${size}" is not a size such as 8192 or "8 kB"`);
  return Math.floor(Number(digits) * UNITS[unit]! + 1e-6);
}
