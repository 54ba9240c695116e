/** Changes of any field and any byte, whatever they mean. */
import type { Random } from '../../../../daemon/lc/random.js';
import { varint } from '../../../../daemon/onnx/emit/message.js';
import { copyOf, listsOf, text, whole, type Field } from './field.js';

export const NUMBERS = [0n, 1n, 2n, 7n, 16n, 127n, 255n, 65536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]; // prettier-ignore
const TEXTS = ['', 'x', 'y', 'w', '../secret', '/etc/passwd', 'C:\\x', 'a\0b', 'a\nb', 'a\u2028b', '\ud83e\udd84', 'location', 'offset', 'length', 'then_branch', 'ai.onnx', 'If', 'Constant', '-1', '99999999999999999999', 'external.onnx.data', 'linked', 'n'.repeat(70_000)]; // prettier-ignore
const FIELDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 99];

/** One change of a field somewhere in the tree. */
export function changeAnyField(root: Field[], random: Random): void {
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const lists = listsOf(root).filter((list) => list.length > 0);
  if (lists.length === 0) return;
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
      Object.assign(field, whole(field.number, pick(NUMBERS)));
      break;
    case 6:
      Object.assign(field, text(field.number, pick(TEXTS)));
      break;
    case 7:
      field.number = pick(FIELDS);
      break;
    default:
      if (field.fields === null && field.bytes.length > 0) {
        const bytes = Uint8Array.from(field.bytes);
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
        field.bytes = bytes;
      } else field.fields = [];
  }
}

export function changeBytes(bytes: Uint8Array, random: Random): Uint8Array {
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
