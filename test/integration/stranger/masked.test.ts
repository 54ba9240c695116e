/**
 * A masked network's result: its error in result.json and in the report is the one that other programs find on the data as stored,
 * of every export that can be computed here; the Keras file is checked, and read back.
 */
import { mkdtemp, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkKeras } from '../../unit/keras3/checker.js';
import { loadPlain, tf } from '../../unit/model/tfjs.js';
import { lcPrune } from '../../fixtures/cli.js';
import { firstHour, type FirstHour } from './firstHour.js';
import { tagger, texts } from './sequences.js';
import { clear, type Stranger } from './stranger.js';

const visits: Record<string, { readonly home: string; readonly hour: FirstHour }> = {};
async function visit(name: string, stranger: Stranger): Promise<void> {
  const home = await realpath(await mkdtemp(join(tmpdir(), `masked ${name} `)));
  visits[name] = { home, hour: await firstHour(stranger, home) };
}
beforeAll(async () => {
  await visit('texts', texts);
  await visit('tagger', tagger);
}, 240_000);
afterAll(() => Promise.all(Object.values(visits).map(({ home }) => clear(home))));

const folderOf = (name: string, stranger: Stranger) => join(visits[name]!.home, stranger.model, '..');

it.each([['texts', texts], ['tagger', tagger]] as const)('%s: result.json, the report and onnxruntime have one error', async (name, stranger) => {
  const { hour } = visits[name]!;
  const { error } = hour.pruned;
  const result = JSON.parse(await readFile(join(hour.folder, 'result', 'result.json'), 'utf8')) as { retrained: { error: number } };
  expect(result.retrained.error).toBe(error);
  const report = await readFile(join(hour.folder, 'result', 'report.md'), 'utf8');
  expect(report).toMatch(new RegExp(`\\| lc \\|[^\\n]*\\| ${(100 * error).toFixed(2)}% \\|`));
  for (const elsewhere of hour.elsewhere) expect(elsewhere).toBeCloseTo(error, 6);
  // Keras's own reader by its rules; and what the file holds, on the data as stored.
  const file = join(folderOf(name, stranger), 'pruned network.keras');
  await checkKeras(file);
  const data = join(folderOf(name, stranger), name === 'texts' ? 'reviews, padded.npz' : 'sentences.npz');
  const { lines } = await lcPrune(['evaluate', file, data, '--json'], { cwd: visits[name]!.home });
  expect(lines.at(-1)!['error']).toBeCloseTo(error, 6);
}); // prettier-ignore

it('TensorFlow.js finds the error of the classifier, and is not given what it computes otherwise', async () => {
  const { home, hour } = visits['texts']!;
  const out = join(home, 'for tfjs');
  const { code, stderr } = await lcPrune(['export', hour.folder, '--format', 'tfjs-layers', '--out', out], { cwd: home });
  expect(code, stderr).toBe(0);
  const network = await loadPlain(join(out, 'model.json'));
  const { inputs, target } = await texts.stored(home);
  const [{ data, shape }] = Object.values(inputs) as [(typeof inputs)[string]];
  const answers = tf.tidy(() => (network.predict(tf.tensor(data, [data.length / shape[0]!, ...shape])) as tf.Tensor).dataSync());
  expect(texts.judge(Float32Array.from(answers), target)).toBeCloseTo(hour.pruned.error, 6);
  const other = visits['tagger']!;
  const refused = await lcPrune(['export', other.hour.folder, '--format', 'tfjs-layers', '--out', join(home, 'no')], { cwd: other.home });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/TensorFlow\.js does not follow masks as Keras does from layer ".*" \(TimeDistributed\) on, .*export onnx or keras/);
}); // prettier-ignore
