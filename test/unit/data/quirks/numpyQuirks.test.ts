/* Files that NumPy 2.4 wrote (test/fixtures/numpy/make.py), which shares no code with the reader, and some of our own. */
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { parseNpyText } from '../../../../daemon/data/files/npyText.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { classifier, float32, makeWorkspace, npyBytes } from '../fixtures.js';
import { CLASSES, expectKnown, expectRefused, LABELS, NAMES, ROWS, type Read } from './known.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const FIXTURES = 'test/fixtures/numpy';
for (const name of readdirSync(FIXTURES)) copyFileSync(join(FIXTURES, name), join(workspace.folder, name));

const x = npyBytes('<f4', [12, 4], float32(ROWS.flat()));
const y = npyBytes('|u1', [12], Uint8Array.from(LABELS));
const npz = (name: string, arrays: Record<string, Uint8Array>) => workspace.write(name, zipSync(arrays, { level: 6 }));

const OBJECTS =
  'the array holds Python objects (a pickle, which is a program and is not run), and more than plain texts and numbers';
const TEXTS = 'save it as texts, x.astype(str), or as numbers, x.astype("float32")';

describe('arrays with quirks are read right', () => {
  it.each([
    ['Fortran order, int64 labels', 'fortran.npz'],
    ['big-endian doubles, deflated, uint16 labels', 'big-endian.npz'],
    ['float16, labels as a column of bytes', 'half.npz'],
    ['X_train and y_train, labels that are Python texts', 'objects.npz'],
    ['images and labels, labels that are Python integers', 'object-numbers.npz'],
    ['data and target, texts of fixed length', 'fixed-texts.npz'],
    ['one-hot booleans', 'one-hot-bool.npz'],
  ])('%s', async (_, name) => {
    const { classes } = await expectKnown(workspace, name);
    if (['objects.npz', 'fixed-texts.npz'].includes(name)) expect(classes).toEqual(CLASSES);
  });

  it.each([2, 3, 4])('texts of dtype object in a .npy of their own, pickle protocol %d', async (protocol) => {
    workspace.write('x.npy', x);
    const read: Read = { config: { labels: [`labels-${protocol}.npy`] } };
    expect((await expectKnown(workspace, 'x.npy', read)).classes).toEqual(CLASSES);
  });

  it('arrays of unusual names: the only ones that fit, texts among them', async () => {
    const width = Math.max(...NAMES.map((name) => name.length));
    const texts = Buffer.from(NAMES.map((name) => name.padEnd(width, '\0')).join(''));
    npz('odd.npz', { 'beetles.npy': x, 'kinds.npy': npyBytes(`|S${width}`, [12], texts) });
    const { notes } = await expectKnown(workspace, 'odd.npz');
    expect(notes).toContain('Inputs are the array "beetles", labels "kinds".');
  });

  it('an .npz and a .npy under other names: by what is in them', async () => {
    npz('arrays.zip', { 'x.npy': x, 'y.npy': y });
    await expectKnown(workspace, 'arrays.zip');
    npz('arrays.dat', { 'x.npy': x, 'y.npy': y });
    await expectKnown(workspace, 'arrays.dat');
  });
});

describe('arrays that cannot be read are refused in one sentence', () => {
  it.each([
    ['None among texts', 'object-none.npz', ', array y: sample 11 has None where a label is needed; remove it'],
    ['inputs of dtype object', 'object-inputs.npz', ', array x: the array holds Python objects (pickle); save plain numbers, such as x.astype("float32")'],
    ['a pickle that would run a command', 'program.npz', `, array y: ${OBJECTS} (it holds posix.system); ${TEXTS}`],
  ])('%s', async (_, name, sentence) => {
    await expectRefused(workspace, name, sentence);
    expect(existsSync('lc-prune-was-here')).toBe(false);
  }); // prettier-ignore

  it('a damaged pickle: a sentence, never another error, or what was stored', async () => {
    const random = createRandom(77);
    const whole = readFileSync(join(FIXTURES, 'labels-4.npy'));
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = Uint8Array.from(whole);
      // The header, of 128 bytes, stays.
      for (let k = 0; k <= random.below(3); k++) bytes[128 + random.below(bytes.length - 128)] = random.below(256);
      const part = random.below(4) === 0 ? bytes.subarray(0, 128 + random.below(bytes.length - 128)) : bytes;
      try {
        expect(parseNpyText('y.npy', part)!.size).toBe(12);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  it('one array alone, complex numbers, unequal counts, several that fit', async () => {
    npz('alone.npz', { 'x.npy': x });
    await expectRefused(workspace, 'alone.npz', ': its only array, "x", holds the inputs, and there are no labels; save both, numpy.savez(file, x=x, y=y), or name an array in "data.labels"'); // prettier-ignore
    npz('complex.npz', { 'x.npy': npyBytes('<c8', [12, 4], new Uint8Array(384)), 'y.npy': y });
    await expectRefused(workspace, 'complex.npz', ', array x: the array has dtype "c8"; save it as numbers, such as x.astype("float32")'); // prettier-ignore
    npz('short.npz', { 'x.npy': x, 'y.npy': npyBytes('|u1', [3], Uint8Array.of(0, 1, 2)) });
    await expectRefused(workspace, 'short.npz', ', array y: 3 labels, but short.npz, array x has 12 samples; the counts must be equal'); // prettier-ignore
    npz('two.npz', { 'p.npy': x, 'q.npy': x, 'y.npy': y });
    await expectRefused(workspace, 'two.npz', ': which array holds the inputs is not clear; name one of "p", "q", "y" in "data.inputs"'); // prettier-ignore
  });

  it('cut short, and a text among numbers', async () => {
    workspace.write('cut.npz', zipSync({ 'x.npy': x, 'y.npy': y }).subarray(0, 300));
    await expectRefused(workspace, 'cut.npz', ': the .npz file is damaged (not a readable zip); save it again');
    npz('nan.npz', { 'x.npy': npyBytes('<f4', [2, 1], float32([1, NaN])), 'y.npy': npyBytes('|u1', [2], Uint8Array.of(0, 1)) }); // prettier-ignore
    const requirements = classifier([1], 2);
    await expectRefused(workspace, 'nan.npz', ', array x: sample 1 has the value NaN at position 0: remove or replace such samples', { requirements }); // prettier-ignore
  });
});
