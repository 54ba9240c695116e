/** Several outputs of a Keras model, trained together by the file's losses: runs from the command line, and what they leave. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NpzFile } from '../../daemon/data/files/npz.js';
import { floats, npzFile } from '../../daemon/export/npyFile.js';
import { createRandom } from '../../daemon/lc/random.js';
import { readLayers } from '../fixtures/readLayers.js';
import { lcPrune } from '../fixtures/cli.js';

interface Measured {
  loss: number;
  error: number;
}
interface Evaluated extends Measured {
  outputs?: (Measured & { output: string; weight: number })[];
}
interface Done {
  folder: string;
  prunable: number;
  perLayer: { layer: string; kept: number }[];
  reference: Evaluated;
  retrained: Evaluated;
  others?: { output: string; before?: Measured; after?: Measured }[];
}

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lcprune-joint-'));
  await cp('test/fixtures/keras/other-head', home, { recursive: true });
  // The same samples with both targets, each under its output's name.
  const arrays: Record<string, Uint8Array> = {};
  for (const [file, rename] of [['cls.npz', 'y_cls_'], ['reg.npz', 'y_reg_']] as const)
    for (const [name, bytes] of Object.entries(unzipSync(await readFile(join(home, file))))) arrays[name.replace(/^y_/, rename)] = bytes;
  await writeFile(join(home, 'both.npz'), zipSync(arrays));
}); // prettier-ignore
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 10 }));

const plan = (more: object) => ({
  model: 'model.keras',
  data: { source: 'both.npz', preprocess: { scale: 'none' } },
  output: 'cls',
  budget: { keep: '20%' },
  schedule: { iterations: 6, epochs: 2, mu0: 0.01, muEnd: 2 },
  training: { learningRate: 0.02, batchSize: 32 },
  retrain: { epochs: 5, learningRate: 0.02 },
  engine: 'native-cpu',
  ...more,
});

const write = (name: string, more: object) => writeFile(join(home, `${name}.prune.json`), JSON.stringify(plan(more)));

async function run(name: string, more: object, command: readonly string[] = ['run']) {
  await write(name, more);
  const { code, lines, stderr } = await lcPrune([...command, `${name}.prune.json`, '--json'], { cwd: home });
  // 3: so short a run may end with a network that is of no use yet.
  expect([0, 3], stderr).toContain(code);
  const done = lines.findLast(({ event }) => event === 'done') as unknown as Done;
  return { done, lines, said: lines.flatMap(({ event, message }) => (event === 'warning' ? [String(message)] : [])) };
}

async function evaluated(model: string, output: string, data = 'both.npz') {
  const args = ['evaluate', model, '--data', data, '--scale', 'none', '--output', output, '--engine', 'native-cpu', '--json'];
  const { code, lines, stderr } = await lcPrune(args, { cwd: home });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return lines.at(-1) as unknown as Measured;
} // prettier-ignore

const outputOf = ({ outputs = [] }: Evaluated, name: string) => outputs.find(({ output }) => output === name)!;

describe('two heads with losses in the file and targets in the data', { timeout: 240_000 }, () => {
  it("are trained together: the loss is Keras's, neither head degrades, both are pruned", async () => {
    const expected = JSON.parse(await readFile(join(home, 'expected.json'), 'utf8')) as Record<string, number>;
    const { done, said } = await run('together', {});
    expect(said.join('\n')).toMatch(/2 outputs are trained together, .*"cls" \(loss weight 1\), "reg" \(loss weight 1\)\. .* the error is that of "cls" alone/);
    expect(done.reference.loss).toBeCloseTo(expected['loss']!, 5);
    expect(done.reference.error).toBeCloseTo(1 - expected['cls_accuracy']!, 6);
    expect(done.reference.outputs!.map(({ output, weight }) => [output, weight])).toEqual([['cls', 1], ['reg', 1]]);
    expect(done.perLayer.map(({ layer }) => layer)).toEqual(['dense', 'dense_1', 'cls', 'reg']);
    expect(done.others).toBeUndefined();
    // The figures of the result are those of its file, output by output.
    const result = join(done.folder, 'result', 'model.json');
    for (const name of ['cls', 'reg']) {
      const [own, file] = [outputOf(done.retrained, name), await evaluated(result, name)];
      expect(own.loss).toBeCloseTo(file.loss, 5);
      expect(own.error).toBeCloseTo(file.error, 6);
    }
    const { outputs, loss } = done.retrained;
    expect(loss).toBeCloseTo(outputs!.reduce((sum, one) => sum + one.weight * one.loss, 0), 6);
    const report = await readFile(join(done.folder, 'result', 'report.md'), 'utf8');
    expect(report).toMatch(/## Outputs[^#]*\| lc \| cls \| 1 \|[^\n]*\n\| lc \| reg \| 1 \|/);

    const alone = await run('alone', { otherOutputs: 'measure' });
    expect(alone.said.join('\n')).toMatch(/output "reg", which shares layers with "cls", is not trained \(the plan measures it only\)/);
    expect(alone.done.perLayer.map(({ layer }) => layer)).toEqual(['dense', 'dense_1', 'cls']);
    expect(alone.done.reference.outputs).toBeUndefined();
    const [other] = alone.done.others!;
    expect(other!.before!.loss).toBeCloseTo(outputOf(done.reference, 'reg').loss, 6);
    // Measured only, it is spoiled; trained, it is not.
    expect(other!.after!.loss).toBeGreaterThan(3 * other!.before!.loss);
    expect(outputOf(done.retrained, 'reg').loss).toBeLessThan(other!.after!.loss / 3);
    expect(done.retrained.error).toBeLessThan(done.reference.error + 0.05);
  }); // prettier-ignore

  it('have the weights of the file, and count only if the data has targets', async () => {
    const folder = await mkdtemp(join(home, 'weights-'));
    await cp('test/fixtures/keras/multi-output', folder, { recursive: true });
    const random = createRandom(1);
    const n = 96;
    const x = Float32Array.from({ length: n * 12 }, () => random.normal());
    const cls = Float32Array.from({ length: n }, () => random.below(3));
    const { topology } = await readLayers('model.keras', { workspace: folder });
    const { layers } = topology.config as { layers: { config: { name: string; units?: number } }[] };
    const units = layers.find(({ config }) => config.name === 'reg')!.config.units!;
    const reg = Float32Array.from({ length: n * units }, () => random.normal());
    await writeFile(join(folder, 'named.npz'), npzFile({ x: floats(x, [n, 12]), cls: floats(cls, [n]), reg: floats(reg, [n, units]) }));
    const more = { model: `${folder.split('/').at(-1)}/model.keras`, output: 'cls', budget: { keep: '50%' }, schedule: { iterations: 1, epochs: 1 }, retrain: { epochs: 1, learningRate: 0.02 } };
    const name = (file: string) => ({ source: `${folder.split('/').at(-1)}/${file}`, preprocess: { scale: 'none' } });
    const { done, said } = await run('weights', { ...more, data: { ...name('named.npz'), validation: 0 } });
    expect(said.join('\n')).toMatch(/"cls" \(loss weight 1\), "reg" \(loss weight 0\.5\)/);
    const { loss, outputs } = done.reference;
    expect(outputs!.map(({ weight }) => weight)).toEqual([1, 0.5]);
    expect(loss).toBeCloseTo(outputs![0]!.loss + 0.5 * outputs![1]!.loss, 6);
    const without = await run('without', { ...more, data: name('data.npz') });
    expect(without.said.join('\n')).toMatch(/output "reg", which shares layers with "cls", is not trained \(the data has no targets named after it\)/);
    expect(without.done.perLayer.map(({ layer }) => layer)).not.toContain('reg');
    expect(without.done.reference.outputs).toBeUndefined();
    // A task of the head that cannot be trained has nothing to prune.
    await write('task', { ...more, data: name('data.npz'), budget: undefined, tasks: [{ layers: ['reg'], budget: { keep: '50%' } }, { layers: '*', budget: { keep: '50%' } }] });
    const { code, stderr } = await lcPrune(['run', 'task.prune.json'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toMatch(/task "reg": nothing that is trained depends on its layers: .*"reg" is not trained \(the data has no targets named after it\)/);
  }); // prettier-ignore

  it('come from the columns of a table', async () => {
    const rows = ['cls,reg_0,reg_1,' + Array.from({ length: 12 }, (_, i) => `f${i}`).join(',')];
    const random = createRandom(2);
    for (let row = 0; row < 120; row++)
      rows.push([random.below(3), ...Array.from({ length: 14 }, () => random.normal())].join(','));
    await writeFile(join(home, 'table.csv'), rows.join('\n'));
    const { done } = await run('table', { data: { source: 'table.csv', preprocess: { scale: 'none' } }, schedule: { iterations: 1, epochs: 1 } });
    expect(done.reference.outputs!.map(({ output }) => output)).toEqual(['cls', 'reg']);
    // A cell that is not a number excludes that output, and no other.
    await writeFile(join(home, 'table.csv'), rows.with(7, rows[7]!.replace(/^(\d),[^,]+/, '$1,none')).join('\n'));
    const broken = await run('broken', { data: { source: 'table.csv', preprocess: { scale: 'none' } }, schedule: { iterations: 1, epochs: 1 } });
    expect(broken.said.join('\n')).toMatch(/output "reg", which shares layers with "cls", is not trained \(.*line 8, column "reg_0" has "none"/);
    expect(broken.done.reference.outputs).toBeUndefined();
  }); // prettier-ignore

  it('read the labels of an output that is trained along by its own answers', async () => {
    const file = await NpzFile.read({ path: join(home, 'both.npz'), name: 'both.npz' }, 1 << 24);
    const values = (key: string) => {
      const { store } = file.array(key);
      const all = new Float32Array(store.size * store.width);
      void store.gather(Uint32Array.from({ length: store.size }, (_, i) => i), 0, store.size, all);
      return Array.from({ length: store.size }, (_, i) => [...all.subarray(i * store.width, (i + 1) * store.width)]);
    }; // prettier-ignore
    const [x, cls, reg] = ['x_test', 'y_cls_test', 'y_reg_test'].map(values) as [number[][], number[][], number[][]];
    // The file has the labels in the order of the outputs; the usual order is sorted.
    const first = (k: number) => cls.findIndex(([own]) => own === k);
    const order = [first(0), first(1), first(2)];
    const rows = [...order, ...[...cls.keys()].filter((i) => !order.includes(i))].map((i) => [
      ['zebra', 'monkey', 'ape'][cls[i]![0]!]!,
      ...reg[i]!,
      ...x[i]!,
    ]);
    const header = ['cls', 'reg_0', 'reg_1', ...x[0]!.map((_, i) => `f${i}`)];
    await writeFile(join(home, 'texts.csv'), [header, ...rows].map((row) => row.join(',')).join('\n'));
    const { done, said } = await run('texts', { output: 'reg', data: { source: 'texts.csv', preprocess: { scale: 'none' } }, schedule: { iterations: 1, epochs: 1 } }); // prettier-ignore
    expect(said.join('\n')).toMatch(/Output "cls": Labels read by the reference's loss: .*order/);
    // A preview shows the same before the run.
    const sentence = /Output "cls": Labels read by [^\n]*/;
    const preview = await lcPrune(['preview', 'texts.prune.json'], { cwd: home });
    expect(sentence.exec(preview.stderr)?.[0]).toBe(sentence.exec(said.join('\n'))![0]);
    expect(outputOf(done.reference, 'cls').error).toBeLessThan(0.2);
    expect(done.reference.error).toBe(outputOf(done.reference, 'reg').error);
  });

  it.each(['magnitude', 'gradual'])('train together in the baseline %s, too', async (method) => {
    const { done } = await run(method, { method });
    expect(outputOf(done.retrained, 'reg').loss).toBeLessThan(0.5);
    expect(done.perLayer.map(({ layer }) => layer)).toContain('reg');
  });

  it('are seen by sensitivity, preview and evaluate', async () => {
    await write('looks', {});
    const sensitivity = await lcPrune(['sensitivity', 'looks.prune.json', '--json', '--shares', '50%,10%'], { cwd: home });
    expect({ code: sensitivity.code, stderr: sensitivity.stderr }).toMatchObject({ code: 0 });
    expect(sensitivity.lines.filter(({ event }) => event === 'sensitivity').map(({ layer }) => layer)).toEqual(['dense', 'dense_1', 'cls', 'reg']);
    const preview = await lcPrune(['preview', 'looks.prune.json'], { cwd: home });
    expect({ code: preview.code, stderr: preview.stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/2 outputs are trained together/) as unknown });
    const evaluate = await lcPrune(['evaluate', 'looks.prune.json', '--json'], { cwd: home });
    expect(evaluate.lines.at(-1)!['error']).toBeCloseTo((await evaluated('model.keras', 'cls')).error, 6);
  }); // prettier-ignore

  it('a run that is stopped and resumed ends with the same bytes', async () => {
    const whole = await run('whole', { schedule: { iterations: 16, epochs: 3 } });
    await write('cut', { schedule: { iterations: 16, epochs: 3 } });
    const stderr = await new Promise<string>((done) => {
      const args = [resolve('dist', 'cli.mjs'), 'run', 'cut.prune.json', '--json'];
      const child = execFile(process.execPath, args, { cwd: home }, (_error, _stdout, text) => done(text));
      let seen = '';
      child.stdout!.on('data', (text: string) => {
        seen += text;
        if (/"event":"iteration".*"iteration":2\b/.test(seen)) child.kill('SIGINT');
      });
    });
    expect(stderr).toMatch(/writing a checkpoint/);
    const id = /run (\S+-cut):/.exec(stderr)?.[1];
    const { lines, code } = await lcPrune(['resume', id!, '--json'], { cwd: home });
    expect([0, 3]).toContain(code);
    const done = lines.findLast(({ event }) => event === 'done') as unknown as Done;
    expect(done.retrained).toEqual(whole.done.retrained);
    const [a, b] = await Promise.all([whole.done, done].map(({ folder }) => readLayers(join(folder, 'result', 'model.json'), { workspace: home })));
    expect(b!.weights).toEqual(a!.weights);
  }); // prettier-ignore
});
