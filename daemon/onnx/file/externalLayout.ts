/** Computes the places of changed tensors in a file beside the model. */
import type { TensorChange } from './editTensor.js';
import { encodeRaw } from './encodeValues.js';
import type { OnnxTensor } from './onnxModel.js';
import type { ReadExternal } from './readTensor.js';
import { kindNamed } from './tensorTypes.js';

interface Item {
  readonly names: string[];
  /** Offset in the old file. */
  readonly from: number;
  readonly bytes: Uint8Array;
}

export interface Layout {
  /** Whether every unchanged tensor is where it was. */
  readonly same: boolean;
  /** By ascending offset. */
  readonly items: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  readonly places: ReadonlyMap<string, { readonly offset: number; readonly length: number }>;
}

/** Writers align tensors to pages or cache lines. */
const ALIGNMENTS = [4096, 64, 16, 8];
const alignmentOf = (offset: number): number => ALIGNMENTS.find((one) => offset % one === 0) ?? 1;

const newBytes = (tensor: OnnxTensor, change: TensorChange, fail: (problem: string) => never): Uint8Array => {
  const kind = kindNamed(tensor.type);
  return kind && kind.size > 0 ? encodeRaw(change.values, kind, fail) : fail('its kind of numbers cannot be written');
};

/**
 * Lays out the tensors of one file in their order. They stay where they were if no size changes; otherwise they follow each other, aligned as before.
 * Tensors that shared a place still share it if they are still equal.
 * @param fail is called for a tensor whose new values do not fit.
 */
export function layoutTensors(
  tensors: readonly OnnxTensor[],
  changes: ReadonlyMap<string, TensorChange>,
  read: ReadExternal,
  fail: (tensor: string, problem: string) => never,
): Layout {
  const items: Item[] = [];
  const at = new Map<number, Item[]>();
  for (const tensor of tensors) {
    const from = tensor.external!.offset;
    const change = changes.get(tensor.name);
    const bytes = change ? newBytes(tensor, change, (problem) => fail(tensor.name, problem)) : read(tensor.external!);
    const others = at.get(from) ?? [];
    const shared = others.find((other) => Buffer.compare(other.bytes, bytes) === 0);
    if (shared) shared.names.push(tensor.name);
    else {
      const item = { names: [tensor.name], from, bytes };
      at.set(from, [...others, item]);
      items.push(item);
    }
  }
  items.sort((a, b) => a.from - b.from);
  const lengths = new Map(tensors.map((tensor) => [tensor.name, read(tensor.external!).length]));
  const same = items.every(({ names, bytes }) => names.every((name) => lengths.get(name) === bytes.length)) && items.every((item, i) => i === 0 || item.bytes.length === 0 || items[i - 1]!.bytes.length === 0 || item.from > items[i - 1]!.from); // prettier-ignore
  let end = 0;
  const placed = items.map((item) => {
    const step = alignmentOf(item.from);
    const offset = same ? item.from : Math.ceil(end / step) * step;
    end = offset + item.bytes.length;
    return { ...item, offset };
  });
  const places = new Map(placed.flatMap(({ names, offset, bytes }) => names.map((name) => [name, { offset, length: bytes.length }] as const))); // prettier-ignore
  return { same, items: placed, places };
}
