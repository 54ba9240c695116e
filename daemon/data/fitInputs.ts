import { countText, invalidData, shapeText } from './dataError.js';
import type { DataRequirements } from './dataset.js';
import type { RawPart } from './rawDataset.js';
import { channelsFirst, channelsLast, reshapedStore, type SampleStore } from './batches/sampleStore.js';
import { sizeOf } from '../protocol/shape.js';

/**
 * Fits every input array of a part to the model's inputs: equal shapes, equal sizes (read in the same order), a missing
 * channel axis, or images whose channels are stored on the other side.
 * @throws UserError('data-invalid') that gives both shapes.
 */
export function fitInputs(part: RawPart, requirements: DataRequirements): { inputs: SampleStore[]; notes: string[] } {
  const wanted = requirements.inputShapes;
  if (part.inputs.length !== wanted.length)
    throw invalidData(
      part.name,
      `the data has ${part.inputs.length} input array(s), but the model has ${wanted.length} inputs; list one array per input in "data.inputs"`,
      'inputs',
    );
  const notes: string[] = [];
  const inputs = part.inputs.map((store, i) => {
    const fitted = fitShape(store, wanted[i]!);
    if (!fitted)
      throw invalidData(
        part.name,
        `a sample is ${shapeText(store.shape)} (${countText(store.width)} values), but the model's input${wanted.length > 1 ? ` ${i + 1}` : ''} is ${shapeText(wanted[i]!)}${knownSize(wanted[i]!)}; use data of that shape, or choose the columns or array with "data.inputs"`,
        'inputs',
      );
    if (fitted.note) notes.push(fitted.note);
    return fitted.store;
  });
  return { inputs, notes };
}

function knownSize(shape: readonly (number | null)[]): string {
  return shape.some((n) => n === null) ? '' : ` (${countText(sizeOf(shape as number[]))} values)`;
}

function fitShape(
  store: SampleStore,
  wanted: readonly (number | null)[],
): { store: SampleStore; note?: string } | null {
  if (matches(store.shape, wanted)) return { store };
  if (isChannelsFirst(store.shape, wanted))
    return {
      store: channelsLast(store),
      note: `Images are stored channel by channel (${shapeText(store.shape)}): they are read as ${shapeText(wanted)}.`,
    };
  if (isChannelsLast(store.shape, wanted))
    return {
      store: channelsFirst(store),
      note: `Images are stored pixel by pixel (${shapeText(store.shape)}): they are read as ${shapeText(wanted)}, channel by channel, as the model wants them.`,
    };
  const withChannel = [...store.shape, 1];
  if (matches(withChannel, wanted)) return { store: reshapedStore(store, withChannel) };
  const withoutChannel = store.shape.at(-1) === 1 ? store.shape.slice(0, -1) : null;
  if (withoutChannel && matches(withoutChannel, wanted)) return { store: reshapedStore(store, withoutChannel) };
  // One open size follows from the others.
  const [unit, open] = [sizeOf(wanted.map((n) => n ?? 1)), wanted.filter((n) => n === null).length];
  const rest = store.width / unit;
  if (open > 1 || !Number.isInteger(rest) || (open === 0 && rest !== 1)) return null;
  const shape = wanted.map((n) => n ?? rest);
  return {
    store: reshapedStore(store, shape),
    note: `Samples of ${shapeText(store.shape)} are read as ${shapeText(shape)}, in the order they are stored.`,
  };
}

function matches(shape: readonly number[], wanted: readonly (number | null)[]): boolean {
  return shape.length === wanted.length && shape.every((n, i) => wanted[i] === null || wanted[i] === n);
}

function isChannelsLast(shape: readonly number[], wanted: readonly (number | null)[]): boolean {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || channels === undefined || channels < 2 || channels > 4) return false;
  return matches([channels, height!, width!], wanted);
}

function isChannelsFirst(shape: readonly number[], wanted: readonly (number | null)[]): boolean {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || channels === undefined || channels < 2 || channels > 4) return false;
  return matches([height!, width!, channels], wanted);
}
