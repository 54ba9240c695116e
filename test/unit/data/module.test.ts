import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { classifier, dataConfig, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const open = (source: string, trusted = true, shape = [2, 1]) =>
  openDataset(dataConfig(source), classifier(shape, 2), { workspace: workspace.folder, seed: 1, trusted });

describe('JavaScript data modules', () => {
  it('collects the batches of async generators', async () => {
    workspace.write(
      'good.mjs',
      `export async function* train() {
         for (let i = 0; i < 3; i++) yield { inputs: [[[i], [10 * i]], [[-i], [0.5]]], targets: [0, 1] };
       }
       export const test = () => [{ inputs: new Float32Array([7, 8]), targets: Int32Array.of(1) }];`,
    );
    const dataset = await open('good.mjs');
    const train = await readAll(dataset, dataset.train);
    expect(train.inputs.map(([a, b]) => [a! + 0, b! + 0])).toEqual(
      [0, 1, 2].flatMap((i) => [
        [i, 10 * i],
        [-i + 0, 0.5],
      ]),
    );
    expect(train.targets.map((t) => t.indexOf(1))).toEqual([0, 1, 0, 1, 0, 1]);
    expect(await readAll(dataset, dataset.test)).toEqual({ inputs: [[7, 8]], targets: [[0, 1]] });
  });

  it('never runs in a workspace that is not trusted', async () => {
    workspace.write('evil.mjs', `globalThis.__moduleRan = true; export function* train() {}`);
    expect(await messageOf(open('evil.mjs', false))).toMatch(/evil\.mjs: .*not trusted/);
    expect((globalThis as Record<string, unknown>)['__moduleRan']).toBeUndefined();
  });

  it.each([
    ['no-train', 'export const x = 1;', /must export a function "train"/],
    ['syntax', 'export function* train( {', /the module does not load/],
    ['throws', 'export function* train() { throw new Error("boom\\nat line 2"); }', /the module failed \(boom\)/],
    [
      'shape',
      'export function* train() { yield { inputs: [1, 2, 3], targets: [0] }; }',
      /3 input values.*whole samples of 2 x 1/,
    ],
    [
      'targets',
      'export function* train() { yield { inputs: [1, 2, 3, 4], targets: [0, 1, 1] }; }',
      /2 samples but 3 target values/,
    ],
    [
      'nan',
      'export function* train() { yield { inputs: [1, NaN], targets: [0] }; }',
      /sample 0 has the value NaN at position 1/,
    ],
    ['text', 'export function* train() { yield { inputs: ["1", 2], targets: [0] }; }', /must hold numbers only/],
    ['nothing', 'export function* train() {}', /yields no samples/],
    ['batch', 'export function* train() { yield 5; }', /object \{ inputs, targets \}/],
    ['array', 'export const train = () => 5;', /the module failed/],
  ])('refuses %s', async (name, text, message) => {
    workspace.write(`${name}.mjs`, text);
    expect(await messageOf(open(`${name}.mjs`))).toMatch(message);
  });
});
