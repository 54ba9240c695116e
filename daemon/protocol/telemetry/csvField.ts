/** A text as a field of a CSV (RFC 4180): quoted if needed. A spreadsheet would run a leading = + - or @ as a formula: it gets an apostrophe. */
export function csvField(text: string): string {
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
