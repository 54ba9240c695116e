/** Data files with quirks through the commands, as a user meets them; the numbers are those of the plain file. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { clusterCsv, TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
const evaluate = (data: string) =>
  lcPrune(['evaluate', 'model.json', '--data', data, '--scale', 'none', '--engine', 'native-cpu', '--json'], {
    cwd: ws.folder,
  });
let plain: Record<string, unknown>;

const lines = clusterCsv().split('\n');
const QUIRKS: readonly [name: string, content: string | Uint8Array][] = [
  ['utf16.csv', Buffer.from(`\ufeff${lines.join('\r\n')}`, 'utf16le')],
  ['packed.csv.gz', gzipSync(lines.join('\n'))],
  ['decimal commas.csv', lines.join('\n').replaceAll(',', ';').replaceAll('.', ',')],
  ['comments.csv', ['# clusters', ...lines.map((line) => `${line},`)].join('\n')],
  ['one-hot.csv', oneHot()],
];

/** The labels as three columns at the end, in the order of the names. */
function oneHot(): string {
  const names = ['blue', 'green', 'red'];
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',');
    return [...cells.slice(0, 4), ...names.map((name) => Number(name === cells[4]))].join(',');
  });
  return ['a,b,c,d,blue,green,red', ...rows].join('\n');
}

beforeAll(async () => {
  ws = await tinyWorkspace();
  for (const [name, content] of QUIRKS) await writeFile(ws.path(name), content);
  const { code, lines: printed } = await evaluate('data.csv');
  expect(code).toBe(0);
  plain = printed.at(-1)!;
  expect(plain['samples']).toBe(240);
});
afterAll(() => ws.remove());

describe('evaluate', () => {
  it.each(QUIRKS)('%s: the loss and the error of the plain file', async (name) => {
    const { code, lines: printed } = await evaluate(name);
    expect(code).toBe(0);
    for (const key of ['samples', 'loss', 'error']) expect(printed.at(-1)![key]).toBe(plain[key]);
  });

  it('a pickle, and a folder that is not there: one line, exit code 2', async () => {
    await writeFile(ws.path('data.pkl'), Buffer.from('\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94.', 'latin1'));
    const pickle = await evaluate('data.pkl');
    expect(pickle).toMatchObject({ code: 2 });
    expect(pickle.stderr.trim().split('\n')).toHaveLength(1);
    expect(pickle.stderr).toContain('this is a Python pickle');
    const nowhere = await evaluate('no/where.csv');
    expect(nowhere).toMatchObject({ code: 2 });
    expect(nowhere.stderr).toMatch(/where\.csv: there is no folder \S*no; /);
  });
});

describe('init and run', () => {
  it('a plan whose name has spaces and quotes: the suggested command runs it', async () => {
    await mkdir(ws.path("it's mine"));
    const out = "it's mine/my plan.prune.json";
    const made = await lcPrune(['init', 'model.json', '--data', 'comments.csv', '--out', out], { cwd: ws.folder });
    expect(made).toMatchObject({ code: 0 });
    const command = /next, lc-prune (.*)$/m.exec(made.stdout)![1]!;
    if (process.platform === 'win32') return;
    const words = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
    expect(words.split('\0').slice(0, -1)).toEqual(['run', out]);
    const { data: _, model: __, ...short } = TINY_PLAN;
    const plan = {
      ...short,
      model: '../model.json',
      data: { source: '../comments.csv', preprocess: { scale: 'none' } },
    };
    await writeFile(ws.path(out), JSON.stringify(plan));
    const run = await lcPrune([...words.split('\0').slice(0, -1), '--engine', 'native-cpu'], { cwd: ws.folder });
    expect([0, 3]).toContain(run.code);
    expect(run.stdout + run.stderr).toContain('Lines that begin with # are no data: 1 left out.');
  });
});
