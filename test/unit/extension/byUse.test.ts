import { expect, test } from 'vitest';
import { byUse } from '../../../extension/engine/byUse.js';

const engine = (id: string, available: boolean, chosen = false) => ({ id, name: id, device: '', available, chosen, reason: '' }); // prettier-ignore
const ENGINES = [engine('cuda', false), engine('webgpu', true), engine('native', true, true), engine('dml', false), engine('ort', true)]; // prettier-ignore

test('what trains comes first, what cannot last, each in the order of "auto"', () => {
  expect(byUse(ENGINES, 'auto').map(({ id }) => id)).toEqual(['native', 'webgpu', 'ort', 'cuda', 'dml']);
  expect(byUse(ENGINES, 'ort').map(({ id }) => id)).toEqual(['ort', 'webgpu', 'native', 'cuda', 'dml']);
  expect(ENGINES[0]!.id).toBe('cuda');
});
