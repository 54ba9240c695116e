import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
import type { DataRequirements } from '../../../daemon/data/dataset.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { classifier, dataConfig, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
let files = 0;
const open = (
  text: string | Uint8Array,
  requirements: DataRequirements,
  more: Partial<ResolvedData> = {},
  extra = {},
) => {
  const name = `table ${files++}.csv`;
  workspace.write(name, text);
  return openDataset(dataConfig(name, more), requirements, {
    workspace: workspace.folder,
    seed: 1,
    purpose: 'evaluate',
    ...extra,
  });
};
const read = async (...args: Parameters<typeof open>) => {
  const dataset = await open(...args);
  return { ...(await readAll(dataset, dataset.test)), dataset };
};

const iris = ['length,width,species', '5.1,3.5,setosa', '7.0,3.2,versicolor', '6.3,3.3,virginica', '4.9,3.0,setosa'];

describe('CSV', () => {
  it('reads a header, numbers and class names in sorted order', async () => {
    const { inputs, targets, dataset } = await read(iris.join('\n'), classifier([2], 3));
    expect(inputs.flat()).toEqual([5.1, 3.5, 7, 3.2, 6.3, 3.3, 4.9, 3].map(Math.fround));
    expect(targets.map((t) => t.indexOf(1))).toEqual([0, 1, 2, 0]);
    expect(dataset.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(dataset.notes.join(' ')).toContain('column "species"');
  });

  it.each([
    ['BOM and CRLF', '\ufeff' + iris.join('\r\n') + '\r\n'],
    [
      'quotes',
      iris
        .map((line) =>
          line
            .split(',')
            .map((cell) => `"${cell}"`)
            .join(','),
        )
        .join('\n'),
    ],
    ['semicolons and decimal commas', iris.map((line) => line.replaceAll(',', ';').replaceAll('.', ',')).join('\n')],
    ['tabs', iris.join('\n').replaceAll(',', '\t')],
    ['spaces and blank lines', iris.map((line) => ` ${line.replaceAll(',', ' , ')} `).join('\n\n')],
  ])('reads the same with %s', async (_, text) => {
    const [plain, other] = [await read(iris.join('\n'), classifier([2], 3)), await read(text, classifier([2], 3))];
    expect(other.inputs).toEqual(plain.inputs);
    expect(other.targets).toEqual(plain.targets);
  });

  it('quoted names may hold the separator, quotes and line ends', async () => {
    const text = 'x,label\n1,"a,b"\n2,"say ""hi"""\n3,"two\nlines"\n';
    const { dataset } = await read(text, classifier([1], 3));
    expect(dataset.classes).toEqual(['a,b', 'say "hi"', 'two\nlines']);
  });

  it('quotes that first appear far into a large file are read, and errors after them name their line', async () => {
    const rows = Array.from({ length: 30000 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'}`);
    rows[20000] = '"20000","even"';
    const { inputs } = await read(`x,label\n${rows.join('\n')}\n`, classifier([1], 2));
    expect(inputs.flat()).toEqual(rows.map((_, i) => i));
    rows[25000] = '1,2,3';
    expect(await messageOf(open(`x,label\n${rows.join('\n')}\n`, classifier([1], 2)))).toMatch(/line 25002: .*columns/);
    expect(await messageOf(open(`x,label\n${rows.join('\n').replaceAll('"', '')}\n`, classifier([1], 2)))).toMatch(
      /line 25002: .*columns/,
    );
  });

  it('without a header, the label is the first or last column, whichever looks like a class', async () => {
    const first = await read('2,0.5,0\n0,1.5,0\n1,2.5,0\n', classifier([2], 3));
    expect(first.targets.map((t) => t.indexOf(1))).toEqual([2, 0, 1]);
    expect(first.inputs).toEqual([
      [0.5, 0],
      [1.5, 0],
      [2.5, 0],
    ]);
    const last = await read('0.5,7,2\n1.5,8,0\n2.5,9,1\n', classifier([2], 3));
    expect(last.targets.map((t) => t.indexOf(1))).toEqual([2, 0, 1]);
  });

  it('takes columns by name and by position, and drops a row number', async () => {
    const text = 'id,a,b,c,label\n1,10,20,30,0\n2,11,21,31,1\n';
    const named = await read(text, classifier([2], 2), { inputs: ['c', 'a'], labels: ['label'] });
    expect(named.inputs).toEqual([
      [30, 10],
      [31, 11],
    ]);
    const placed = await read(text, classifier([2], 2), { inputs: ['1', '2'], labels: ['-1'] });
    expect(placed.inputs[1]).toEqual([11, 21]);
    const { inputs, dataset } = await read(text, classifier([3], 2));
    expect(inputs[0]).toEqual([10, 20, 30]);
    expect(dataset.notes.join(' ')).toContain('"id"');
  });

  it('scales by the training part only', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${i * i},${i % 2}`).join('\n');
    const dataset = await open(
      `x,label\n${rows}\n`,
      classifier([1], 2),
      { scale: 'standard', validation: 0.4 },
      { purpose: 'train' },
    );
    const train = (await readAll(dataset, dataset.train)).inputs.flat();
    const mean = train.reduce((a, b) => a + b, 0) / train.length;
    const variance = train.reduce((a, b) => a + (b - mean) ** 2, 0) / train.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 4);
    const held = [
      ...(await readAll(dataset, dataset.validation)).inputs,
      ...(await readAll(dataset, dataset.test)).inputs,
    ].flat();
    expect(train.length + held.length).toBe(50);
    expect(Math.abs(held.reduce((a, b) => a + b, 0) / held.length)).toBeGreaterThan(1e-3);
  });

  it('follows the header, not the order, of a test file, and its class numbers', async () => {
    workspace.write('test.csv', 'species,width,length\nvirginica,1,2\nsetosa,3,4\n');
    const dataset = await open(iris.join('\n'), classifier([2], 3), { test: 'test.csv' });
    const test = await readAll(dataset, dataset.test);
    expect(test.inputs).toEqual([
      [2, 1],
      [4, 3],
    ]);
    expect(test.targets.map((t) => t.indexOf(1))).toEqual([2, 0]);
  });

  it('two names fit a single yes/no output', async () => {
    const requirements = { inputShapes: [[1]], outputShape: [1], classification: true };
    const { targets } = await read('x,y\n1,yes\n2,no\n3,yes\n', requirements);
    expect(targets.flat()).toEqual([1, 0, 1]);
  });

  it('regression takes the last columns, as many as the output has', async () => {
    const requirements = { inputShapes: [[2]], outputShape: [2], classification: false };
    const { inputs, targets } = await read('a,b,u,v\n1,2,0.5,-1\n3,4,1.5,-2\n', requirements);
    expect(inputs[1]).toEqual([3, 4]);
    expect(targets[1]).toEqual([1.5, -2]);
  });

  it('several label columns are one-hot', async () => {
    const { targets } = await read('x,p,q\n5,0,1\n6,1,0\n', classifier([1], 2), { labels: ['p', 'q'] });
    expect(targets).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('a table larger than memory spills to disk and reads the same', async () => {
    const rows = Array.from(
      { length: 3000 },
      (_, i) => `${Array.from({ length: 500 }, (_, j) => (i * 31 + j * 7) % 97).join()},${i % 2}`,
    );
    const text = rows.join('\n');
    const resident = await open(text, classifier([500], 2), { scale: 'standard' });
    const streamed = await open(text, classifier([500], 2), { scale: 'standard' }, { memoryLimit: 1_000_000 });
    expect(streamed.hash).toBe(resident.hash);
    const order = Uint32Array.from({ length: 200 }, (_, i) => (i * 1543) % 3000);
    const gather = async (dataset: typeof resident) => {
      const buffers = [new Float32Array(200 * 500), new Float32Array(400)] as const;
      await dataset.test.gather(order, 0, 200, [buffers[0]], buffers[1]);
      return buffers;
    };
    expect(await gather(streamed)).toEqual(await gather(resident));
    streamed.close();
  });
});

describe('CSV errors, one line each with row, column and way out', () => {
  it.each<[string, string | Uint8Array, DataRequirements, RegExp, Partial<ResolvedData>?]>([
    ['an empty cell', 'a,b,label\n1,2,0\n3,,1\n', classifier([2], 2), /line 3, column "b" has an empty cell/],
    [
      'a word',
      'a,label\n1,0\nred,1\n',
      classifier([1], 2),
      /line 3, column "a" has "red" where a finite number is needed/,
    ],
    ['NaN', 'a,label\n1,0\nNaN,1\n', classifier([1], 2), /line 3.*"NaN"/],
    ['infinity', 'a,label\n1,0\n1e999,1\n', classifier([1], 2), /line 3.*"1e999"/],
    ['no label', 'a,label\n1,0\n2,\n', classifier([1], 2), /line 3, column "label" has an empty cell where a label/],
    ['ragged rows', 'a,label\n1,0\n2,1,5\n', classifier([1], 2), /line 3: .*number of columns/],
    ['an open quote', 'a,label\n1,"0\n2,1\n', classifier([1], 2), /quote is never closed/],
    [
      'a missing column',
      'a,label\n1,0\n',
      classifier([1], 2),
      /"data.labels" names the column "klass".*"a", "label"/,
      { labels: ['klass'] },
    ],
    [
      'too many classes',
      'a,label\n1,p\n2,q\n3,r\n',
      classifier([1], 2),
      /3 classes in the data \("p", "q", "r"\) do not match the model's 2 outputs/,
    ],
    ['too few classes', 'a,label\n1,p\n2,q\n', classifier([1], 3), /2 classes.*3 outputs/],
    ['a label out of range', 'a,label\n1,0\n2,1\n3,2\n', classifier([1], 2), /sample 2 has the label 2.*0 to 1/],
    ['a fraction as label', 'a,label\n1,0\n2,0.5\n', classifier([1], 2), /label 0.5 is no class/],
    [
      'too few columns',
      'a,b,label\n1,2,0\n3,4,1\n',
      classifier([4], 2),
      /a sample is 2 \(2 values\).*input is 4 \(4 values\).*data.inputs/,
    ],
    ['a header alone', 'a,label\n', classifier([1], 2), /no rows of data/],
    ['twice the same name', 'a,a,label\n1,2,0\n', classifier([2], 2), /two columns are called "a"/],
    [
      'UTF-8 and Latin-1 in one file',
      Buffer.concat([Buffer.from('a,label\n1,café\n'), Buffer.from('2,caf\xe9\n', 'latin1')]),
      classifier([1], 2),
      /UTF-8 in some places and not in others; save the table/,
    ],
    [
      'labels that leave outputs free',
      'a,label\n1,3\n2,4\n3,5\n',
      classifier([1], 4),
      /label 4, but the model has 4 outputs.*has 3 labels: "3", "4", "5".*"classes"/,
    ],
    ['zero bytes', Buffer.from('a,b\n1,2\n\0\0\0'), classifier([1], 2), /this is not text/],
    ['git-lfs', 'version https://git-lfs.github.com/spec/v1\n', classifier([1], 2), /git-lfs pointer/],
  ])('%s', async (_, text, requirements, message, more) => {
    expect(await messageOf(open(text, requirements, more))).toMatch(message);
  });

  it('a class of the test file that the training file lacks is listed', async () => {
    workspace.write('odd.csv', 'length,width,species\n1,2,tulip\n');
    expect(await messageOf(open(iris.join('\n'), classifier([2], 3), { test: 'odd.csv' }))).toMatch(
      /training part lacks: "tulip"; the training part has "setosa", "versicolor", "virginica"/,
    );
  });

  it('a single class is an error to train on, not to evaluate on', async () => {
    const text = 'a,label\n1,0\n2,0\n3,0\n4,0\n5,0\n';
    expect(await messageOf(open(text, classifier([1], 2), {}, { purpose: 'train' }))).toMatch(
      /all 5 samples have the label "0"/,
    );
    expect((await open(text, classifier([1], 2))).test.size).toBe(5);
  });
});
