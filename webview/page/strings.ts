/** Translations, put into the page by the host as a JSON block; English keys are the fallback. */
const bundle: Record<string, string> = JSON.parse(document.getElementById('strings')?.textContent || '{}');

/** The translated text with {0}, {1}, ... filled in. */
export function t(message: string, ...values: (string | number)[]): string {
  return (bundle[message] ?? message).replace(/\{(\d+)\}/g, (_, i: string) => String(values[Number(i)] ?? ''));
}
