/** Every case of the matrix, written to both Keras formats, read back, and compared with NumPy again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import { writeKeras, writeKerasH5 } from '../../daemon/model/files/writeKeras.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { readLayers } from '../fixtures/readLayers.js';
import { checkKeras, checkKerasH5 } from '../unit/keras3/checker.js';
import { far, regression, type LayerCase } from './measure.js';
import { BATCH, inputsOf, readCase, some } from './network.js';

const { layers } = JSON.parse(readFileSync('test/matrix/reference.json', 'utf8')) as { layers: LayerCase[] };

/** Rounding of weights that are scaled for hard_sigmoid, and back. */
const OUTPUTS = 2e-5;

async function distance(model: LayersModel, case_: LayerCase): Promise<number> {
  const session = await nativeProvider.open(model, { ...regression, purpose: 'inference' });
  try {
    const outputs = await session.predict(inputsOf(case_), BATCH);
    return far(some(outputs.length, 48).map((i) => outputs[i]!), case_.output); // prettier-ignore
  } finally {
    await session.dispose();
  }
}

const reasonOf = (error: UserError): string => error.message.replace(/^.*?: layer "[^"]*" /, '').replace(/^.*?: /, '');

describe('Keras files that are written from Keras files', () => {
  it.each([
    ['keras', writeKeras, checkKeras],
    ['h5', writeKerasH5, checkKerasH5],
  ] as const)(
    '%s holds every layer as Keras has it, or the layer is refused',
    async (format, write, check) => {
      const workspace = await mkdtemp(join(tmpdir(), 'written-back-'));
      const wrong: string[] = [];
      const refused: string[] = [];
      try {
        for (const case_ of layers) {
          const file = `m.${format}`;
          try {
            await write(await readCase(case_), join(workspace, file));
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            refused.push(`${case_.id}: ${reasonOf(error)}`);
            continue;
          }
          try {
            await check(join(workspace, file));
            const off = await distance(await readLayers(file, { workspace }), case_);
            if (!(off < OUTPUTS)) wrong.push(`${case_.id}: outputs off by ${off.toPrecision(2)}`);
          } catch (error) {
            wrong.push(`${case_.id}: ${(error as Error).message}`);
          }
        }
      } finally {
        await rm(workspace, { recursive: true, force: true });
      }
      expect(wrong).toEqual([]);
      await expect(refused.join('\n') + '\n').toMatchFileSnapshot(`./refused-${format}.txt`);
    },
    300_000,
  );
});
