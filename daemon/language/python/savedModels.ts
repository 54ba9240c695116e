/** Calls in Python that write a model file, and the path that each names in its text. */
import { maskPython, type MaskedPython } from './maskPython.js';
import { LIMITS } from '../limits.js';

export interface SavedModel {
  /** Pattern of the call's name. */
  readonly offset: number;
  /** As written. */
  readonly path: string;
}

interface Saving {
  /** The call up to its opening parenthesis. */
  readonly call: RegExp;
  /** Which argument is the path: its position among the positional ones, and its keywords. */
  readonly place: number;
  readonly names: readonly string[];
  /** The path must end so: many classes have a `.save(`. */
  readonly ending?: RegExp;
  /** The file in the named folder. */
  readonly member?: string;
}

const KERAS = /\.(keras|h5|hdf5)$/i;

/** Keras, TensorFlow.js, PyTorch and ONNX, by their documentation. What does not open here is left out where the file is looked at. */
const SAVINGS: readonly Saving[] = [
  { call: /\b[A-Za-z_][\w.]*\.save\s*\(/g, place: 0, names: ['filepath'], ending: KERAS },
  { call: /\b(?:[A-Za-z_][\w.]*\.)?save_model\s*\(/g, place: 1, names: ['filepath'], ending: KERAS },
  { call: /\b(?:[A-Za-z_][\w.]*\.)?save_keras_model\s*\(/g, place: 1, names: ['artifacts_dir'], member: 'model.json' },
  { call: /\b(?:[A-Za-z_][\w.]*\.)?ModelCheckpoint\s*\(/g, place: 0, names: ['filepath'], ending: KERAS },
  { call: /\b(?:torch\.)?onnx\.export\s*\(/g, place: 2, names: ['f'] },
  { call: /\bonnx\.save(?:_model)?\s*\(/g, place: 1, names: ['f'], ending: /\.onnx$/i },
];

interface Argument {
  readonly name: string | null;
  /** Position of its value, and the value's code without spaces around. */
  readonly offset: number;
  readonly code: string;
}

/** The arguments after an opening parenthesis; null if it is not closed. @param from after the parenthesis. */
function argumentsFrom(code: string, from: number): Argument[] | null {
  const found: Argument[] = [];
  const take = (start: number, end: number) => {
    const text = code.slice(start, end);
    const named = /^\s*([A-Za-z_]\w*)\s*=(?!=)/.exec(text);
    const value = named ? text.slice(named[0].length) : text;
    const offset = start + (named ? named[0].length : 0) + (value.length - value.trimStart().length);
    if (value.trim() !== '') found.push({ name: named?.[1] ?? null, offset, code: value.trim() });
  };
  let depth = 0;
  let start = from;
  for (let at = from; at < Math.min(code.length, from + LIMITS.callArguments); at++) {
    const char = code[at]!;
    if ('([{'.includes(char)) depth++;
    else if (char === ')' && depth === 0) {
      take(start, at);
      return found;
    } else if (')]}'.includes(char)) depth--;
    else if (char === ',' && depth === 0) {
      take(start, at);
      start = at + 1;
    }
  }
  return null;
}

/** The text of an argument: a literal, or a variable that is assigned one literal and nothing else. */
function textOf({ offset, code }: Argument, { code: all, literals }: MaskedPython): string | null {
  // A literal alone: its quote, and blanks in place of its text.
  if (code.startsWith('"') || /^[rRuUfF]{1,2}"/.test(code)) {
    const literal = literals.get(all.indexOf('"', offset));
    return literal && /^\s*$/.test(all.slice(literal.start, offset + code.length)) ? literal.value : null;
  }
  if (!/^[A-Za-z_]\w*$/.test(code)) return null;
  const givings = [...all.matchAll(new RegExp(`(?<![\\w.])${code}\\s*(?:[-+*/|&]?=(?!=)|:=)\\s*`, 'g'))].filter(
    // Keyword arguments of that name are not assignments: those begin their line.
    ({ index }) => /^[ \t]*$/.test(all.slice(all.lastIndexOf('\n', index) + 1, index)),
  );
  const [only] = givings;
  if (!only || givings.length > 1 || !/[^-+*/|&:]=\s*$/.test(` ${only[0]}`)) return null;
  const at = only.index + only[0].length;
  const literal = literals.get(at);
  const line = all.indexOf('\n', at);
  const rest = literal && all.slice(literal.start, line < 0 ? all.length : line);
  return literal && /^\s*$/.test(rest!) ? literal.value : null;
}

/** In the order of the text. Only literal paths: a computed one is left out. */
export function savedModels(source: string): SavedModel[] {
  const masked = maskPython(source);
  const found: SavedModel[] = [];
  for (const { call, place, names, ending, member } of SAVINGS) {
    for (const match of masked.code.matchAll(call)) {
      // A definition of a function with that name is not a call.
      if (/\bdef\s+$/.test(masked.code.slice(Math.max(0, match.index - 10), match.index))) continue;
      const args = argumentsFrom(masked.code, match.index + match[0].length);
      const given =
        args?.find(({ name }) => name !== null && names.includes(name)) ??
        args?.filter(({ name }) => name === null)[place];
      const path = given && textOf(given, masked);
      if (!path || (ending && !ending.test(path))) continue;
      found.push({
        offset: match.index,
        path: member === undefined ? path : `${path.replace(/[\\/]+$/, '')}/${member}`,
      });
      if (found.length >= LIMITS.savingCalls) break;
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
}
