/** Inputs that no scale is chosen for: what reaches the model is what is stored, whatever the rest is scaled by. */
import { afterAll, expect, it } from 'vitest';
import type { DataRequirements } from '../../../daemon/data/dataset.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { dataConfig, float32, makeWorkspace, npyBytes, readAll } from './fixtures.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const ids = { because: 'the layer "words" (Embedding)', identifiers: true };
const normalised = { because: 'the layer "n" (BatchNormalization)', identifiers: false };

const tokens = Array.from({ length: 40 }, (_, i) => (i * 37) % 900);
workspace.write('x.npy', npyBytes('<f4', [20, 2], float32(tokens)));
workspace.write('y.npy', npyBytes('<f4', [20, 1], float32(tokens.slice(0, 20))));

const open = (asStored: DataRequirements['asStored'], more: Partial<ResolvedData>) =>
  openDataset(
    dataConfig('x.npy', { scale: 'auto', ...more }),
    { inputShapes: [[2]], outputShape: [1], classification: false, ...(asStored && { asStored }) },
    { workspace: workspace.folder, seed: 0, purpose: 'evaluate' },
  );
const rows = tokens.flatMap((_, i) => (i % 2 === 0 ? [[tokens[i]!, tokens[i + 1]!]] : []));

it.each([ids, normalised])('leave no scale open: %o', async (stored) => {
  const dataset = await open([stored], {});
  expect(dataset.range).toBeNull();
  expect(dataset.mapping.preprocess).toEqual({ scale: 'none', mean: 'none' });
  expect((await readAll(dataset, dataset.test)).inputs).toEqual(rows);
  expect(dataset.notes).toContain(`Input is taken as stored, because of ${stored.because}.`);
});

it('a plan may scale what is normalised, but not names of things', async () => {
  const scaled = await open([normalised], { scale: 'unit' });
  expect((await readAll(scaled, scaled.test)).inputs[0]![0]).toBeCloseTo(rows[0]![0]! / 255, 6);
  const named = await open([ids], { scale: 'unit' });
  expect((await readAll(named, named.test)).inputs).toEqual(rows);
  const free = await open(undefined, {});
  expect(free.range).toBe('other');
});

it('numbers that an Embedding does not know are refused, by sample and layer', async () => {
  const known = { ...ids, count: 900 };
  expect((await open([known], {})).notes.length).toBeGreaterThan(0);
  const largest = Math.max(...tokens);
  const at = tokens.indexOf(largest);
  await expect(open([{ ...ids, count: largest }], {})).rejects.toThrow(
    `sample ${Math.floor(at / 2)} has the value ${largest} at position ${at % 2}, but the layer "words" (Embedding) knows the numbers 0 to ${largest - 1}`,
  );
});
