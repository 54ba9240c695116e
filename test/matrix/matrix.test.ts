/**
 * Every layer class that Keras 3 has x its settings, read from a Keras file, on every engine, against NumPy references that
 * were written from Keras's definitions (reference/): outputs in inference; loss, gradients (finite differences) and moving
 * averages in training; the export for TensorFlow.js. And every loss x its settings.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../daemon/engine/engine.js';
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { trainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { computedByTensorFlow } from './exported.js';
import { far, wrongLayer, wrongLoss, type LayerCase, type LossCase } from './measure.js';
import { readCase, some, type Case } from './network.js';

const { layers, losses } = JSON.parse(readFileSync('test/matrix/reference.json', 'utf8')) as {
  layers: LayerCase[];
  losses: LossCase[];
};
const engines: readonly EngineProvider[] = [nativeProvider, compiledProvider('cpu'), directProviders([])[3]];

/** The verdict on a case for an engine: null if all its numbers are right. */
type Verdict = { readonly refused: string } | { readonly wrong: string } | null;

/** Layer names and paths differ between cases of one reason. */
const reasonOf = (error: unknown): string =>
  (error as Error).message.split('\n')[0]!.replace(/^.*?\.keras: /, '').replace(/layer "[^"]*" /, '').replace(/^Size.*/, 'the sizes do not match').replace(/(Got|Logits).*/, '').trim(); // prettier-ignore

async function verdict(compute: () => Promise<readonly string[]>): Promise<Verdict> {
  try {
    const wrong = await compute();
    return wrong.length > 0 ? { wrong: wrong.join('; ') } : null;
  } catch (error) {
    // A crash gives no reason, so it does not count as a refusal.
    return error instanceof TypeError ? { wrong: error.message } : { refused: reasonOf(error) };
  }
}

async function read(case_: Case): Promise<LayersModel | string> {
  try {
    return await readCase(case_);
  } catch (error) {
    // Any other error is a fault.
    if (!(error instanceof UserError)) throw error;
    return reasonOf(error);
  }
}

const report: string[] = [];

/** Runs cases; returns what is wrong, and adds "passed of run" and what is refused to the report. */
async function run<C extends Case>(what: string, cases: readonly C[], where: readonly string[], judge: (where: string, model: LayersModel, case_: C) => Promise<Verdict>): Promise<string[]> {
  const wrong: string[] = [];
  const refused = new Map<string, Map<string, string[]>>();
  const refuse = (reason: string, id: string, by: string) => {
    const ids = refused.get(reason) ?? new Map<string, string[]>();
    refused.set(reason, ids.set(id, [...(ids.get(id) ?? []), by]));
  };
  const passed = new Map(where.map((name) => [name, 0]));
  for (const case_ of cases) {
    const model = await read(case_);
    if (typeof model === 'string') {
      refuse(model, case_.id, '');
      continue;
    }
    for (const name of where) {
      const found = await judge(name, model, case_);
      if (!found) passed.set(name, passed.get(name)! + 1);
      else if ('wrong' in found) wrong.push(`${case_.id} on ${name}: ${found.wrong}`);
      else refuse(found.refused, case_.id, name);
    }
  }
  for (const [name, count] of passed) report.push(`${what}, ${name}: ${count} passed of ${cases.length} run`);
  for (const [reason, ids] of refused) {
    report.push(`  refused: ${reason}`);
    for (const [id, by] of ids) report.push(`    ${id}${by[0] === '' ? '' : ` (${by.join(', ')})`}`);
  }
  return wrong;
} // prettier-ignore

describe('Keras layers and losses against NumPy', () => {
  it('computes what every layer computes, trained and not, or refuses it', async () => {
    const names = engines.map(({ id }) => id);
    const wrong = await run('layers', layers, names, (name, model, case_) =>
      verdict(() => wrongLayer(engines.find(({ id }) => id === name)!, model, case_)),
    );
    expect(wrong).toEqual([]);
  }, 180_000);

  it('exports layers that TensorFlow.js alone computes alike', async () => {
    const wrong = await run('layers', layers, ['tfjs-layers export'], (_name, model, case_) =>
      verdict(async () => {
        const outputs = await computedByTensorFlow(model, case_);
        const distance = far(some(outputs.length, 48).map((i) => outputs[i]!), case_.output); // prettier-ignore
        return distance < 2e-5 ? [] : [`outputs off by ${distance.toPrecision(2)}`];
      }),
    );
    expect(wrong).toEqual([]);
  }, 120_000);

  it('computes what every loss computes, or names the loss that it does not have', async () => {
    const names = engines.map(({ id }) => id);
    const wrong = await run('losses', losses, names, async (name, model, case_) => {
      if (case_.target) return verdict(() => wrongLoss(engines.find(({ id }) => id === name)!, model, case_));
      const note = trainingSetup(model).notes.find((one) => /own loss ".*" is not available/.test(one));
      return note ? { refused: note.replace(/"[^"]*"/, '...') } : { wrong: 'another loss takes its place without a word' };
    });
    expect(wrong).toEqual([]);
  }, 60_000);

  it('passes and refuses what it did before (expected.txt; vitest -u writes it)', async () => {
    await expect(report.join('\n') + '\n').toMatchFileSnapshot('./expected.txt');
  });

  const python = spawnSync('python3', ['-c', 'import numpy']).status === 0;
  it.skipIf(!python)(
    `has the numbers that the NumPy script prints${python ? '' : ' (skipped: no python3 with numpy)'}`,
    async () => {
      const { stdout } = await promisify(execFile)('python3', ['-B', 'test/matrix/reference/main.py'], { maxBuffer: 2 ** 26 });
      const printed = JSON.parse(stdout) as { layers: LayerCase[]; losses: LossCase[] };
      const plain = ({ output: _o, loss: _l, gradients: _g, averages: _a, ...rest }: LayerCase) => rest;
      expect(printed.layers.map(plain)).toEqual(layers.map(plain));
      const numbers = (one: Partial<LayerCase>) => [one.output ?? [], one.loss ?? [], one.gradients ?? [], one.averages ?? []].flat(2);
      const pairs = [...printed.layers, ...printed.losses].map((one, i) => [one, [...layers, ...losses][i]!] as const);
      // Differences of a loss lose digits, which differ between versions of NumPy.
      const moved = pairs.filter(([a, b]) => far(numbers(a), numbers(b)) > 1e-6).map(([{ id }]) => id);
      expect(moved).toEqual([]);
    },
    120_000,
  );

  afterAll(() => console.log(report.filter((line) => !line.startsWith('  ')).join('\n')));
}); // prettier-ignore
