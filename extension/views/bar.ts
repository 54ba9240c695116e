/** A share as ten squares: 0.26 -> "■■■□□□□□□□". Anything above zero fills at least one. */
export function bar(share: number): string {
  const full = share <= 0 ? 0 : Math.max(1, Math.round(Math.min(1, share) * 10));
  return '■'.repeat(full) + '□'.repeat(10 - full);
}
