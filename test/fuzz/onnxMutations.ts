/** ONNX files, and ways to make them wrong: bytes, whole fields at any depth, and graphs that no exporter writes. */
import { Message, varint } from '../../daemon/onnx/emit/message.js';
import { createRandom, type Random } from '../../daemon/lc/random.js';
import { fixture, fixtures, float32, graph, model, node, tensor, value } from '../unit/onnx/file/protos.js';

/** A protocol buffers field: bytes that are a message themselves are walked too. */
interface Field {
  number: number;
  type: number;
  /** Fields of types 0, 1 and 5, and bytes that are not a message. */
  bytes: Uint8Array;
  fields: Field[] | null;
}

/** The fields of a message; null if the bytes are not a message. */
function parse(bytes: Uint8Array, depth = 0): Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number | null => {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10 && at < bytes.length; i++, scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const tag = number();
    if (tag === null || tag < 8 || tag > 8 * 1000) return null;
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    const start = at;
    if (type === 0) {
      if (number() === null) return null;
      fields.push({ number: field, type, bytes: bytes.subarray(start, at), fields: null });
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? number() : null;
    if (length === null || at + length > bytes.length) return null;
    const content = bytes.subarray(at, at + length);
    at += length;
    const inner = type === 2 && length > 1 && depth < 8 ? parse(content, depth + 1) : null;
    fields.push({ number: field, type, bytes: content, fields: inner });
  }
  return fields;
}

function encode(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(({ number, type, bytes, fields: inner }) => {
    const content = inner ? encode(inner) : bytes;
    return type === 2 ? [varint(number * 8 + type), varint(content.length), content] : [varint(number * 8 + type), content]; // prettier-ignore
  });
  return Buffer.concat(parts);
}

const listsOf = (fields: Field[]): Field[][] => [fields, ...fields.flatMap((one) => (one.fields ? listsOf(one.fields) : []))]; // prettier-ignore

const copyOf = (field: Field): Field => ({ ...field, fields: field.fields && field.fields.map(copyOf) });

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const NUMBERS = [0n, 1n, 2n, 7n, 16n, 127n, 255n, 65536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]; // prettier-ignore
const TEXTS = ['', 'x', 'y', 'w', '../secret', '/etc/passwd', 'C:\\x', 'a\0b', 'a\nb', 'a\u2028b', '\ud83e\udd84', 'location', 'offset', 'length', 'then_branch', 'ai.onnx', 'If', 'Constant', '-1', '99999999999999999999', 'external.onnx.data', 'linked', 'n'.repeat(70_000)]; // prettier-ignore

/** One change of a field somewhere in the tree. */
function changeField(root: Field[], random: Random): void {
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const lists = listsOf(root).filter((list) => list.length > 0);
  const list = pick(lists);
  const at = random.below(list.length);
  const field = list[at]!;
  switch (random.below(9)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(random.below(list.length + 1), 0, copyOf(field));
      break;
    case 2:
      [list[at], list[random.below(list.length)]] = [list[random.below(list.length)]!, field];
      break;
    case 3:
      pick(lists).push(copyOf(field));
      break;
    case 4:
      // Names of other values: cycles, duplicate names, types in the wrong place.
      Object.assign(field, copyOf(pick(pick(lists))), { number: field.number });
      break;
    case 5:
      Object.assign(field, { type: 0, bytes: varint(pick(NUMBERS)), fields: null });
      break;
    case 6:
      Object.assign(field, { type: 2, bytes: text(pick(TEXTS)), fields: null });
      break;
    case 7:
      field.number = pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 99]);
      break;
    default:
      if (field.fields === null && field.bytes.length > 0) {
        const bytes = Uint8Array.from(field.bytes);
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
        field.bytes = bytes;
      } else field.fields = [];
  }
}

function changeBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const out = Buffer.from(bytes);
  const at = random.below(out.length);
  switch (random.below(5)) {
    case 0:
      return out.subarray(0, at);
    case 1:
      // A length or a number that is larger than all there is.
      return Buffer.concat([out.subarray(0, at), varint(NUMBERS[random.below(NUMBERS.length)]!), out.subarray(at + 1)]);
    case 2: {
      const from = random.below(out.length);
      return Buffer.concat([out.subarray(0, at), out.subarray(from, from + random.below(200)), out.subarray(at)]);
    }
    default:
      for (let i = random.below(8); i >= 0; i--) out[random.below(out.length)]! ^= 1 << random.below(8);
      return out;
  }
}

let sorted: Uint8Array | undefined;
let circle: Uint8Array | undefined;

/** Graphs that are hard for a reader by their content, not by their encoding. */
const STRANGE: readonly ((random: Random) => Uint8Array)[] = [
  // A chain of 10,000 nodes, and one that is a circle.
  () => (sorted ??= chain(10_000, 'v0')),
  () => (circle ??= chain(10_000, 'v9999')),
  // Each of 10,000 nodes reads two others, sorted or not.
  (random) => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => node('Add', [`v${random.below(i + 1)}`, `v${random.below(random.next() < 0.001 ? 10_000 : i + 1)}`], [`v${i + 1}`])); // prettier-ignore
    return model(graph({ nodes, inputs: [value('v0')], outputs: [value('v10000')] }));
  },
  (random) => {
    let bytes = new Uint8Array(0);
    const fields = [7, 1, 5, 6];
    for (let i = random.below(4000); i >= 0; i--) bytes = new Message().bytes(fields[i % 4]!, bytes).finish() as never;
    return Buffer.concat([new Message().int(1, 8).finish(), bytes]);
  },
  (random) => {
    let inner = graph();
    for (let i = random.below(60); i >= 0; i--) inner = graph({ nodes: [node('If', ['x'], ['y']).message(5, new Message().text(1, 'g').message(6, inner).int(20, 5))] }); // prettier-ignore
    return model(inner);
  },
  (random) => model(graph({ initializers: [tensor({ dims: Array.from({ length: 1 + random.below(40) }, () => 2 ** random.below(53)), raw: float32(1, 2) })] })), // prettier-ignore
  (random) => model(graph({ initializers: [tensor({ dims: [0, 2 ** random.below(53)], raw: new Uint8Array(0) })] })),
  (random) => Buffer.concat([new Message().int(1, 8).finish(), new Uint8Array(20_000).fill(58, 0, 20_000).map((byte, i) => (i % 2 === 0 ? byte : random.below(2) * 2))]), // prettier-ignore
]; // prettier-ignore

function chain(length: number, first: string): Uint8Array {
  const nodes = Array.from({ length }, (_, i) => node('Relu', [i === 0 ? first : `v${i}`], [`v${i + 1}`]));
  return model(graph({ nodes, inputs: [value('v0')], outputs: [value(`v${length}`)] }));
}

const BASES = [...fixtures.map(fixture), Buffer.from(model())];
const TREES = BASES.map((bytes) => parse(bytes)!);

/** The mutant of a number: the same for the same seed. */
export function mutantOf(seed: number, index: number): Uint8Array {
  const random = createRandom(seed * 1_000_003 + index);
  if (index % 500 === 499) return STRANGE[Math.floor(index / 500) % STRANGE.length]!(random);
  const base = random.below(BASES.length);
  let bytes: Uint8Array = BASES[base]!;
  if (random.next() < 0.7) {
    const fields = TREES[base]!.map(copyOf);
    for (let i = random.below(3); i >= 0; i--) changeField(fields, random);
    bytes = encode(fields);
  }
  return (random.next() < 0.5 && bytes.length > 0) || bytes === BASES[base] ? changeBytes(bytes, random) : bytes;
}
