/**
 * Reads the texts and numbers of a .npy array of Python objects, which NumPy writes as a pickle. A pickle is a program, and this is not an
 * interpreter of it. Of the operations of Python's pickle protocols (PEP 307, PEP 3154) it knows those that write an array of plain values. The only
 * functions it accepts are NumPy's constructors of an array, and it calls none of them.
 */
import { invalidData } from '../dataError.js';

export type PlainObject = string | number | boolean | null;

/** Placeholder for a function or an object of Python. */
class Name {
  constructor(readonly path: string) {}
}
const MARK = Symbol('mark');
type Value = PlainObject | bigint | Uint8Array | Name | typeof MARK | Value[];

const ALLOWED =
  /^(numpy(\._?core)?\.(_core\.)?multiarray\._reconstruct|numpy\.ndarray|numpy\.dtype|numpy(\.core|\._core)\.multiarray\.ndarray|numpy\.dtypes\.ObjectDType|_codecs\.encode)$/;
const MAX_VALUES = 1 << 26;

class Refused extends Error {}

/** Executes the operations; @returns the last list on the stack, which is the array's. @throws Refused. */
function listOf(bytes: Uint8Array): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: Value[] = [];
  const memo = new Map<number, Value>();
  let found: Value[] | null = null;
  let at = 0;
  const take = (count: number): number => {
    if (count < 0 || at + count > bytes.length) throw new Refused('it is cut short');
    const start = at;
    at += count;
    return start;
  };
  const text = (length: number): string => {
    const start = take(length);
    return Buffer.from(bytes.subarray(start, start + length)).toString('utf8');
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new Refused('it is cut short');
    return text(end + 1 - at).slice(0, -1);
  };
  const pop = (): Value => {
    const value = stack.pop();
    if (value === undefined) throw new Refused('it is damaged');
    return value;
  };
  const popToMark = (): Value[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw new Refused('it is damaged');
    const items = stack.splice(mark);
    return items.slice(1);
  };
  const append = (items: Value[]): void => {
    const list = stack.at(-1);
    if (!Array.isArray(list)) throw new Refused('it is damaged');
    for (const item of items) list.push(item);
    if (list.length > MAX_VALUES) throw new Refused('it is too long');
    found = list;
  };
  const name = (path: string): Name => {
    if (!ALLOWED.test(path)) throw new Refused(`it holds ${path.slice(0, 60)}`);
    return new Name(path);
  };
  while (at < bytes.length) {
    const code = String.fromCharCode(bytes[take(1)]!);
    switch (code) {
      case '\x80': // PROTO
        take(1);
        break;
      case '\x95': // FRAME
        take(8);
        break;
      case '.': // STOP
        if (!found) throw new Refused('there is no array in it');
        return found;
      case '\x8c': // SHORT_BINUNICODE
        stack.push(text(bytes[take(1)]!));
        break;
      case 'X': // BINUNICODE
        stack.push(text(view.getUint32(take(4), true)));
        break;
      case 'C': // SHORT_BINBYTES
        stack.push(bytes.subarray(take(bytes[take(1)]!), at));
        break;
      case 'K': // BININT1
        stack.push(view.getUint8(take(1)));
        break;
      case 'M': // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 'J': // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 'G': // BINFLOAT
        stack.push(view.getFloat64(take(8), false));
        break;
      case '\x88': // NEWTRUE
      case '\x89': // NEWFALSE
        stack.push(code === '\x88');
        break;
      case 'N': // NONE
        stack.push(null);
        break;
      case '(': // MARK
        stack.push(MARK);
        break;
      case ']': // EMPTY_LIST
      case ')': // EMPTY_TUPLE
        stack.push([]);
        break;
      case 't': // TUPLE
        stack.push(popToMark());
        break;
      case '\x85': // TUPLE1
      case '\x86': // TUPLE2
      case '\x87': { // TUPLE3
        const count = code.charCodeAt(0) - 0x84;
        if (stack.length < count) throw new Refused('it is damaged');
        stack.push(stack.splice(stack.length - count));
        break;
      }
      case 'a': // APPEND
        append([pop()]);
        break;
      case 'e': // APPENDS
        append(popToMark());
        break;
      case '\x94': // MEMOIZE
        memo.set(memo.size, stack.at(-1)!);
        break;
      case 'q': // BINPUT
        memo.set(view.getUint8(take(1)), stack.at(-1)!);
        break;
      case 'r': // LONG_BINPUT
        memo.set(view.getUint32(take(4), true), stack.at(-1)!);
        break;
      case 'h': // BINGET
      case 'j': { // LONG_BINGET
        const value = memo.get(code === 'h' ? view.getUint8(take(1)) : view.getUint32(take(4), true));
        if (value === undefined) throw new Refused('it is damaged');
        stack.push(value);
        break;
      }
      case 'c': // GLOBAL
        stack.push(name(`${line()}.${line()}`));
        break;
      case '\x93': { // STACK_GLOBAL
        const [own, module] = [pop(), pop()];
        stack.push(name(`${String(module)}.${String(own)}`));
        break;
      }
      case 'R': { // REDUCE: nothing is called
        pop();
        const callee = pop();
        if (!(callee instanceof Name)) throw new Refused('it calls something');
        stack.push(callee);
        break;
      }
      case 'b': // BUILD: the state of the array has been read
        pop();
        if (!(stack.at(-1) instanceof Name)) throw new Refused('it builds something');
        break;
      default:
        throw new Refused(`it has the operation ${JSON.stringify(code)}`);
    }
  }
  throw new Refused('it is cut short');
} // prettier-ignore

/**
 * The values of an array of Python objects, all of them texts, numbers, booleans or None.
 * @param bytes the pickle that follows the header of the .npy. @param count values that the header promises.
 * @throws UserError('data-invalid') for anything else in it, with the way out.
 */
export function readPlainObjects(name: string, bytes: Uint8Array, count: number): PlainObject[] {
  const refuse = (why: string) =>
    invalidData(
      name,
      `the array holds Python objects (a pickle, which is a program and is not run), and more than plain texts and numbers (${why}); save it as texts, x.astype(str), or as numbers, x.astype("float32")`,
    );
  let values: Value[];
  try {
    values = listOf(bytes);
  } catch (error) {
    if (error instanceof Refused) throw refuse(error.message);
    throw error;
  }
  if (values.length !== count) throw refuse(`${values.length} values where ${count} are promised`);
  return values.map((value, i) => {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    throw refuse(`value ${i} is neither`);
  });
}
