/** Changes of fields by what they mean in ONNX: sizes, axes, types, attributes, names, values, places in other files. [onnx.proto] */
import type { Random } from '../../../../daemon/lc/random.js';
import { OPERATORS } from '../../../../daemon/onnx/lower/registry.js';
import { NUMBERS } from './anyField.js';
import { copyOf, message, text, textOf, whole, wholeOf, type Field } from './field.js';

/** The meaning of a field that holds no message. */
type Role = 'size' | 'number' | 'type' | 'kind' | 'version' | 'op' | 'name' | 'key' | 'values' | 'float' | 'place';
type MessageName = 'Model' | 'Graph' | 'Node' | 'Attribute' | 'Tensor' | 'Value' | 'Type' | 'TensorType' | 'Shape' | 'Dim' | 'Opset' | 'Entry'; // prettier-ignore

const SCHEMA: Readonly<Record<MessageName, Readonly<Record<number, Role | MessageName>>>> = {
  Model: { 1: 'version', 7: 'Graph', 8: 'Opset' },
  Opset: { 1: 'name', 2: 'version' },
  Graph: { 1: 'Node', 5: 'Tensor', 11: 'Value', 12: 'Value', 13: 'Value' },
  Node: { 1: 'name', 2: 'name', 4: 'op', 5: 'Attribute' },
  Attribute: { 1: 'key', 2: 'float', 3: 'number', 4: 'key', 5: 'Tensor', 6: 'Graph', 7: 'float', 8: 'number', 20: 'kind' }, // prettier-ignore
  Tensor: { 1: 'size', 2: 'type', 4: 'values', 5: 'values', 7: 'values', 8: 'name', 9: 'values', 10: 'values', 13: 'Entry', 14: 'kind' }, // prettier-ignore
  Entry: { 1: 'key', 2: 'place' },
  Value: { 1: 'name', 2: 'Type' },
  Type: { 1: 'TensorType' },
  TensorType: { 1: 'type', 2: 'Shape' },
  Shape: { 1: 'Dim' },
  Dim: { 1: 'size', 2: 'name' },
};

interface Place {
  readonly list: Field[];
  readonly field: Field;
  readonly role: Role | MessageName;
}

/** Every field with a meaning, in the tree's order. */
function placesOf(list: Field[], of: MessageName, found: Place[] = []): Place[] {
  for (const field of list) {
    const role = SCHEMA[of][field.number];
    if (role === undefined) continue;
    found.push({ list, field, role });
    if (role in SCHEMA && field.fields) placesOf(field.fields, role as MessageName, found);
  }
  return found;
}

const OPS = [...OPERATORS.keys(), 'If', 'Loop', 'Scan', 'QLinearConv', 'RandomNormal', 'Nonsense'];
const KEYS = ['axis', 'axes', 'perm', 'keepdims', 'pads', 'strides', 'dilations', 'kernel_shape', 'group', 'auto_pad', 'mode', 'value', 'alpha', 'to', 'transB', 'ceil_mode', 'epsilon', 'hidden_size', 'direction', 'split', 'SAME_UPPER', 'VALID', 'reverse', 'nonsense', '']; // prettier-ignore
/** Files of the folder that a mutant is written to (see the judge's), and paths that must not be followed. */
export const LOCATIONS = ['external.onnx.data', '../outside.data', '/etc/passwd', 'linked/outside.data', 'link.data', 'circle', 'pipe', '.', '', 'sub/../external.onnx.data', 'external.onnx.data\0', '/dev/zero', 'C:\\x', '\\\\host\\x', 'file:///etc/passwd', 'n'.repeat(5000), 'net.onnx', 'external.onnx.data/x', '..\\x', 'empty.data']; // prettier-ignore
const PLACES = [...LOCATIONS, '0', '1', '4', '-1', '16', '7104', '99999999', '9007199254740993', '1e3', ' 8', '0x8'];
const FLOATS = [0, -0, 1, -1, 0.5, 1e-40, 3.4e38, -3.4e38, NaN, Infinity, -Infinity, 1e9];
const TYPES = 24;

/** A number near the given one, or a special one. */
function otherNumber(before: bigint, random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return NUMBERS[random.below(NUMBERS.length)]!;
    case 1:
      return before + 1n;
    case 2:
      return before - 1n;
    case 3:
      return -before;
    case 4:
      return before * 2n;
    default:
      return BigInt(random.below(9)) - 3n;
  }
}

/** Values of a tensor, in raw bytes or a field of their own. */
function changeValues(field: Field, random: Random): void {
  if (field.type === 0) return void (field.bytes = whole(1, otherNumber(wholeOf(field), random)).bytes);
  const before = field.fields ? null : field.bytes;
  field.fields = null;
  const bytes = Uint8Array.from(before ?? []);
  const view = new DataView(bytes.buffer);
  const width = [4, 8][random.below(2)]!;
  const count = Math.floor(bytes.length / width);
  if (count === 0 || random.below(8) === 0) {
    const by = [1, 4, 8, bytes.length][random.below(4)]!;
    field.bytes = random.below(2) === 0 ? bytes.subarray(0, Math.max(0, bytes.length - by)) : Buffer.concat([bytes, new Uint8Array(by)]); // prettier-ignore
    return;
  }
  const at = width * random.below(count);
  if (random.below(2) === 0 && width === 8)
    view.setBigInt64(at, BigInt.asIntN(64, otherNumber(view.getBigInt64(at, true), random)), true); // prettier-ignore
  else if (width === 4) view.setFloat32(at, FLOATS[random.below(FLOATS.length)]!, true);
  else view.setFloat64(at, FLOATS[random.below(FLOATS.length)]!, true);
  field.bytes = bytes;
}

/** Puts the values of a tensor into another file. */
function makeExternal(tensor: Field[], random: Random): void {
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const size = tensor.find(({ number }) => number === 9)?.bytes.length ?? 8;
  const kept = tensor.filter(({ number }) => ![4, 5, 7, 9, 10, 11].includes(number));
  const entry = (key: string, value: string): Field => message(13, [text(1, key), text(2, value)]);
  tensor.splice(0, tensor.length, ...kept, whole(14, 1), entry('location', random.below(3) === 0 ? LOCATIONS[0]! : pick(LOCATIONS))); // prettier-ignore
  if (random.below(2) === 0) tensor.push(entry('offset', random.below(2) === 0 ? String(4 * random.below(32)) : pick(PLACES))); // prettier-ignore
  if (random.below(2) === 0) tensor.push(entry('length', random.below(2) === 0 ? String(size) : pick(PLACES)));
}

function newAttribute(random: Random): Field {
  const key = text(1, KEYS[random.below(KEYS.length)]!);
  const number = () => otherNumber(BigInt(random.below(5)), random);
  const kinds: readonly (() => Field[])[] = [
    () => [whole(3, number()), whole(20, 2)],
    () => [whole(8, number()), whole(8, number()), whole(20, 7)],
    () => [text(4, KEYS[random.below(KEYS.length)]!), whole(20, 3)],
    () => [{ number: 2, type: 5, bytes: new Uint8Array(Float32Array.of(FLOATS[random.below(FLOATS.length)]!).buffer), fields: null }, whole(20, 1)], // prettier-ignore
  ];
  return message(5, [key, ...kinds[random.below(kinds.length)]!()]);
}

/** One change of a field with a meaning; kinds of fields are equally likely. */
export function changeKnownField(root: Field[], random: Random): void {
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const places = placesOf(root, 'Model');
  const roles = [...new Set(places.map(({ role }) => role))];
  if (roles.length === 0) return;
  const role = pick(roles);
  const { list, field } = pick(places.filter((place) => place.role === role));
  const again = random.below(10);
  const at = list.indexOf(field);
  if (again === 0) return void list.splice(at, 1);
  if (again === 1) return void list.splice(at, 0, copyOf(field));
  const set = (other: Field) => Object.assign(field, other);
  switch (role) {
    case 'size':
    case 'number':
      return void (field.type === 0 && set(whole(field.number, otherNumber(wholeOf(field), random))));
    case 'type':
    case 'kind':
      return void set(whole(field.number, random.below(TYPES)));
    case 'version':
      return void set(whole(field.number, random.below(30)));
    case 'op':
      return void set(text(field.number, pick(OPS)));
    case 'name': {
      const names = [...new Set(places.filter((place) => place.role === 'name').map((place) => textOf(place.field)))];
      return void set(text(field.number, random.below(8) === 0 ? ['', 'fresh', 'a\u0301', '\u202e'][random.below(4)]! : pick(names))); // prettier-ignore
    }
    case 'key':
      return void set(text(field.number, pick(KEYS)));
    case 'place':
      return void set(text(field.number, pick(PLACES)));
    case 'float':
      return void (field.type === 5 && (field.bytes = new Uint8Array(Float32Array.of(pick(FLOATS)).buffer)));
    case 'values':
      return changeValues(field, random);
    case 'Tensor':
      return field.fields ? makeExternal(field.fields, random) : undefined;
    case 'Node':
      return void (random.below(2) === 0 ? field.fields?.push(newAttribute(random)) : list.splice(random.below(list.length), 0, ...list.splice(at, 1))); // prettier-ignore
    case 'Model':
    case 'Graph':
    case 'Attribute':
    case 'Value':
    case 'Type':
    case 'TensorType':
    case 'Shape':
    case 'Dim':
    case 'Opset':
    case 'Entry':
      return void list.splice(random.below(list.length), 0, ...list.splice(at, 1));
  }
}
