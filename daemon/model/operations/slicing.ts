/** `x[:, 1:3, ::2]`: parts of a sample, by Python's rules. */
import { isObject, type Json } from '../layers/layerConfig.js';
import type { Shape } from '../layers/shape.js';
import type { Operation, OperationConfig } from './operation.js';
import type { Refuse } from '../layers/refuse.js';

/** One axis of the sample: an index, or a slice. */
type Key = number | { readonly start: number | null; readonly stop: number | null; readonly step: number | null };

const ELLIPSIS = '...';

/** In the form of Keras 3 ({class_name: "__slice__", config}), of tf.keras ({start, stop, step}), or of this module. */
function keyOf(value: unknown, refuse: Refuse): Key | typeof ELLIPSIS {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  const plain = isObject(value) && isObject(value.config) && value.class_name === '__slice__' ? value.config : value;
  if (isObject(value) && value.class_name === '__ellipsis__') return ELLIPSIS;
  if (value === ELLIPSIS) return ELLIPSIS;
  if (!isObject(plain) || !('start' in plain)) return refuse('picks elements by something other than whole numbers and slices'); // prettier-ignore
  const part = (name: 'start' | 'stop' | 'step'): number | null => {
    const number = plain[name] ?? null;
    return number === null || Number.isInteger(number) ? (number as number | null) : refuse(`has a slice whose ${name} is no whole number`); // prettier-ignore
  };
  return { start: part('start'), stop: part('stop'), step: part('step') };
}

const WHOLE: Key = { start: null, stop: null, step: null };
const isWhole = (key: Key): boolean =>
  typeof key === 'object' && (key.start ?? 0) === 0 && key.stop === null && (key.step ?? 1) === 1;

function settings(given: Json, refuse: Refuse): Json {
  const value = given.key ?? given.slice_spec;
  const keys = (Array.isArray(value) ? (value as unknown[]) : [value]).map((key) => keyOf(key, refuse));
  if (keys.filter((key) => key === ELLIPSIS).length > 1) return refuse('has two ellipses');
  const [batch] = keys;
  if (batch !== ELLIPSIS && !(batch !== undefined && isWhole(batch)))
    return refuse('picks samples of a batch, which are independent here; keep the first axis whole (x[:, ...])');
  if (keys.some((key) => typeof key === 'object' && (key.step ?? 1) < 1)) return refuse('goes backwards; only steps of 1 and more can be computed'); // prettier-ignore
  return { key: keys };
}

/** A key for each axis of the sample; null if there are more keys than axes. */
function keysOf({ key }: Json, rank: number): Key[] | null {
  const keys = key as (Key | typeof ELLIPSIS)[];
  const at = keys.indexOf(ELLIPSIS);
  const [front, back] = at < 0 ? [keys, []] : [keys.slice(0, at), keys.slice(at + 1)];
  const missing = rank + 1 - front.length - back.length;
  if (missing < 0) return null;
  return [...front, ...Array<Key>(missing).fill(WHOLE), ...back].slice(1) as Key[];
}

interface Range {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  /** An index removes its axis. */
  readonly single: boolean;
}

/** Python's slice.indices; null if an index is out of range. */
function rangeOf(key: Key, size: number): Range | null {
  const clip = (n: number): number => Math.min(Math.max(n < 0 ? n + size : n, 0), size);
  if (typeof key === 'number') {
    const start = key < 0 ? key + size : key;
    return start >= 0 && start < size ? { start, stop: start + 1, step: 1, single: true } : null;
  }
  const start = clip(key.start ?? 0);
  return { start, stop: Math.max(start, clip(key.stop ?? size)), step: key.step ?? 1, single: false };
}

const lengthOf = ({ start, stop, step }: Range): number => Math.ceil((stop - start) / step);

export const getItem: Operation = {
  keras: { module: 'numpy', className: 'GetItem' },
  tensorflow: ['getitem'],
  arity: 1,
  settings,
  calledWith: ['key'],
  shape([input = null], { settings: given }) {
    const keys = input && keysOf(given, input.length);
    if (!input || !keys) return null;
    const shape: (number | null)[] = [];
    for (const [axis, key] of keys.entries()) {
      const size = input[axis]!;
      if (size === null) {
        if (typeof key === 'object') shape.push(null);
        continue;
      }
      const range = rangeOf(key, size);
      if (!range || lengthOf(range) === 0) return null;
      if (!range.single) shape.push(lengthOf(range));
    }
    return shape;
  },
  compute(tf, [x], given) {
    const sample = x!.shape.slice(1);
    const ranges = keysOf(given, sample.length)!.map((key, axis) => rangeOf(key, sample[axis]!)!);
    const [batch] = x!.shape as [number];
    const sizes = ranges.map(({ start, stop }) => stop - start);
    let y = tf.slice(x!, [0, ...ranges.map(({ start }) => start)], [batch, ...sizes]);
    // A slice with steps has no gradient in TensorFlow.js: takes the first of each group of `step` elements instead.
    for (const [i, range] of ranges.entries()) {
      if (range.step === 1) continue;
      const [axis, length] = [i + 1, lengthOf(range)];
      const padding = y.shape.map((n, at): [number, number] => [0, at === axis ? length * range.step - n : 0]);
      const groups = tf.reshape(tf.pad(y, padding), y.shape.toSpliced(axis, 1, length, range.step));
      const first = tf.slice(groups, groups.shape.map(() => 0), groups.shape.with(axis + 1, 1)); // prettier-ignore
      y = tf.reshape(first, y.shape.with(axis, length));
    }
    return tf.reshape(y, [batch, ...ranges.filter(({ single }) => !single).map(lengthOf)]);
  },
  /** For images cropped at the sides only. */
  asLayer({ name, settings: given }: OperationConfig, [input]: readonly Shape[]) {
    const keys = keysOf(given, input!.length);
    if (input!.length !== 3 || !keys || input!.includes(null) || !isWhole(keys[2]!)) return null;
    const ranges = keys.slice(0, 2).map((key, axis) => rangeOf(key, input![axis]!));
    if (ranges.some((range) => !range || range.single || range.step > 1)) return null;
    const cropping = ranges.map((range, axis) => [range!.start, input![axis]! - range!.stop]);
    return { class_name: 'Cropping2D', config: { name, trainable: true, cropping, data_format: 'channels_last' } };
  },
};
