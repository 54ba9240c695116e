/** Images whose channel axis is stored on the other side than the model needs. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../../daemon/data/batches/sampleStore.js';
import { fitInputs } from '../../../daemon/data/fitInputs.js';
import type { RawPart } from '../../../daemon/data/rawDataset.js';

const [height, width, channels] = [5, 6, 3];
/** A pixel's value encodes its place. */
const value = (n: number, y: number, x: number, c: number) => 1000 * n + 100 * y + 10 * x + c;

function images(order: 'first' | 'last'): Float32Array {
  const values: number[] = [];
  for (let n = 0; n < 2; n++)
    if (order === 'first')
      for (let c = 0; c < channels; c++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) values.push(value(n, y, x, c)); // prettier-ignore
    else for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) values.push(value(n, y, x, c)); // prettier-ignore
  return Float32Array.from(values);
}
const SHAPES = { first: [channels, height, width], last: [height, width, channels] };

describe.each([
  ['last', 'first', /stored pixel by pixel \(5 x 6 x 3\): they are read as 3 x 5 x 6, channel by channel/],
  ['first', 'last', /stored channel by channel \(3 x 5 x 6\): they are read as 5 x 6 x 3/],
] as const)('stored with channels %s, wanted %s', (stored, wanted, note) => {
  it('are turned, with a note', async () => {
    const store = memoryStore(images(stored), 2, SHAPES[stored]);
    const part = { name: 'images', inputs: [store] } as unknown as RawPart;
    const { inputs, notes } = fitInputs(part, {
      inputShapes: [SHAPES[wanted]],
      outputShape: [2],
      classification: true,
    });
    expect(inputs[0]!.shape).toEqual(SHAPES[wanted]);
    expect(notes.join()).toMatch(note);
    const out = new Float32Array(2 * height * width * channels);
    await inputs[0]!.gather(Uint32Array.of(0, 1), 0, 2, out);
    expect(out).toEqual(images(wanted));
  });
});
