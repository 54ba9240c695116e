/** Blanks out everything in Python source that is not code, so that a search finds code only. Nothing is run. */

/** Position of a string literal without placeholders; offsets are those of the text inside its quotes. */
export interface Literal {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

export interface MaskedPython {
  /** As long as the source; comments and the insides of strings are spaces, strings keep their first quote as `"`. */
  readonly code: string;
  /** By the offset of the first quote. Bytes, f-strings with placeholders, and strings with non-trivial escapes are left out. */
  readonly literals: ReadonlyMap<number, Literal>;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', "'": "'", '"': '"' };

/** The value of a literal; null if only Python can compute it. */
function valueOf(text: string, prefix: string): string | null {
  if (prefix.includes('b') || (prefix.includes('f') && /[{}]/.test(text))) return null;
  if (prefix.includes('r')) return text;
  let value = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      value += text[i];
      continue;
    }
    const escaped = ESCAPES[text[++i] ?? ''];
    if (escaped === undefined) return null;
    value += escaped;
  }
  return value;
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

const STRING = /([rRuUbBfF]{0,2})("""|'''|"|')/y;

/** One pass; an unclosed string reaches to the end of its line, or of the text. */
export function maskPython(source: string): MaskedPython {
  const literals = new Map<number, Literal>();
  let code = '';
  for (let at = 0; at < source.length;) {
    const char = source[at]!;
    if (char === '#') {
      const end = source.indexOf('\n', at);
      const to = end < 0 ? source.length : end;
      code += blank(source.slice(at, to));
      at = to;
      continue;
    }
    STRING.lastIndex = at;
    const isName = /[\w]/.test(source[at - 1] ?? '') && char !== '"' && char !== "'";
    const opening = isName ? null : STRING.exec(source);
    if (!opening) {
      code += char;
      at++;
      continue;
    }
    const [whole, prefix, quote] = opening as unknown as [string, string, string];
    const first = at + prefix.length;
    const start = at + whole.length;
    let end = start;
    while (end < source.length && !source.startsWith(quote, end) && (quote.length === 3 || source[end] !== '\n'))
      end += source[end] === '\\' ? 2 : 1;
    end = Math.min(end, source.length);
    const isClosed = source.startsWith(quote, end);
    const value = isClosed ? valueOf(source.slice(start, end), prefix.toLowerCase()) : null;
    if (value !== null) literals.set(first, { start, end, value });
    const next = isClosed ? end + quote.length : end;
    code += `${' '.repeat(prefix.length)}"${blank(source.slice(first + 1, next))}`;
    at = next;
  }
  return { code, literals };
}
