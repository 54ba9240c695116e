/** The table that C and TypeScript share: what is generated from it is committed, and an addon of another table is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { chooseEngine } from '../../../../daemon/engine/choose.js';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { type Layout, layoutFiles, layoutHash, readLayout } from '../../../../daemon/engine/kernels/layout.mjs';
import { loadAddon, openAddon } from '../../../../daemon/engine/native/addon.js';
import * as generated from '../../../../daemon/engine/native/layout.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';

vi.mock('../../../../daemon/engine/native/addon.js', { spy: true });

const kernels = fileURLToPath(new URL('../../../../daemon/engine/kernels/', import.meta.url));
const path = join(kernels, `prebuilt/lc-kernels-${process.platform}-${process.arch}.node`);
const table = readLayout();

/** Copies of the table with one thing changed. */
const changed: Record<string, Layout> = {
  'a step more': { ...table, steps: { ...table.steps, Swish: 'stepNumbers' } },
  'two operations swapped': {
    ...table,
    operations: Object.fromEntries(Object.entries(table.operations).reverse()),
  },
  'a field less': { ...table, layouts: { ...table.layouts, scan: { x: 'span', y: 'span', outer: 'int' } } },
  'a constant': { ...table, constants: { ...table.constants, parts: { ...table.constants['parts']!, value: 8 } } },
};

describe('the layout of programs', () => {
  it.each(Object.entries(layoutFiles(table)))('%s is generated from the table as it is', (file, text) => {
    expect(readFileSync(join(kernels, file), 'utf8')).toBe(text);
  });

  it('numbers what it lists in its order', () => {
    expect(Object.values(generated.program)).toEqual(Object.keys(table.operations).map((_, i) => i));
    expect(Object.keys(generated.step)).toEqual(Object.keys(table.steps));
    expect(generated.layoutHash).toBe(layoutHash(table));
  });

  it.each(Object.entries(changed))('has another hash with %s changed', (_, other) => {
    expect(layoutHash(other)).not.toBe(layoutHash(table));
    expect(layoutFiles(other)['native/program/layout.h']).toContain(layoutHash(other));
  });

  it('has the same hash with a comment changed', () => {
    const parts = { ...table.constants['parts']!, about: 'another comment' };
    expect(layoutHash({ ...table, constants: { ...table.constants, parts } })).toBe(layoutHash(table));
  });

  it('has steps as long as the longest one', () => {
    const longer = { ...table, steps: { ...table.steps, Swish: 'gemm' } };
    const words = (text: string | undefined) => Number(/STEP_WORDS (\d+)/.exec(text!)?.[1]);
    expect(words(layoutFiles(table)['native/program/layout.h'])).toBe(generated.stepLength);
    expect(words(layoutFiles(longer)['native/program/layout.h'])).toBeGreaterThan(generated.stepLength);
  });

  it.each<[string, Partial<Layout>, RegExp]>([
    ['a type', { layouts: { ...table.layouts, scan: { x: 'tensor' } } }, /layouts\.scan\.x: .* no type "tensor"/],
    ['a layout', { operations: { ...table.operations, sort: 'sorting' } }, /operations\.sort: .* no layout "sorting"/],
  ])('is refused without %s that it names', (_, part, reason) => {
    expect(() => layoutFiles({ ...table, ...part })).toThrow(reason);
  });
});

describe.skipIf('reason' in loadAddon())('an addon', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lc-addon-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('of the same table is taken', () => {
    expect(openAddon(path)).toHaveProperty('addon');
  });

  it.each(Object.entries(changed))('is refused where the table has %s changed', (_, other) => {
    const opened = openAddon(path, layoutHash(other));
    expect(opened).toEqual({
      reason: `the kernels in ${path} are of another version of LC Prune (layout ${layoutHash(table)}, not ${layoutHash(other)}): install it again, or build them with "node daemon/engine/kernels/build.mjs native"`,
    });
  });

  it('from before there was a table is refused', () => {
    const old = join(folder, 'old.cjs');
    writeFileSync(old, "exports.levels = () => ['AVX2'];");
    expect(openAddon(old)).toEqual({ reason: expect.stringContaining('(layout none, not ') as string });
  });

  it('that is refused leaves the choice to another engine, with the reason', async () => {
    const refused = openAddon(path, 'another');
    vi.mocked(loadAddon).mockReturnValue(refused);
    const spec = { loss: 'categoricalCrossentropy', batchSize: 8, seed: 1, threads: 1 } as const;
    const { session, considered } = await chooseEngine(
      [nativeProvider, compiledProvider('cpu')],
      buildArchitecture('lenet300', 1),
      spec,
    );
    expect(session.info.id).toBe('onnx-cpu');
    expect(considered[0]).toMatchObject({ id: 'native-cpu', available: false, chosen: false, ...refused });
    await expect(nativeProvider.open(buildArchitecture('lenet300', 1), spec)).rejects.toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringContaining('another version of LC Prune') as string,
    });
    await session.dispose();
  });
});
