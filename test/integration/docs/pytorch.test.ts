/** docs/pytorch.md, read as a program: its blocks are run as they stand, in the order a reader would. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { pythonHas } from '../../fixtures/debianPython.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-prune-pytorch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns what the program prints. */
function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 300_000 });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** The published command is this build. */
const shell = (block: string): string =>
  run('bash', ['-e', '-c', `npx() { shift; "${process.execPath}" "${resolve('dist', 'cli.mjs')}" "$@"; }\n${block}`]);

describe.runIf(pythonHas('torch') && pythonHas('onnx'))('docs/pytorch.md', () => {
  it('leads from a module to a pruned module that errs as often as the product says', { timeout: 600_000 }, async () => {
    const page = await readFile('docs/pytorch.md', 'utf8');
    const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, text]) => ({ language, text: text! })); // prettier-ignore
    const named = new Map(blocks.filter(({ language }) => language === 'python').map(({ text }) => [/^# (\w+)\.py$/m.exec(text)![1]!, text])); // prettier-ignore
    for (const [name, text] of named) await writeFile(join(folder, `${name}.py`), text);
    // SafeTensors is not in Debian: the page's own reader stands in.
    await mkdir(join(folder, 'safetensors'));
    await writeFile(join(folder, 'safetensors', 'torch.py'), named.get('load_file')!);
    const [prune, mask] = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
    const python = (name: string) => run('/usr/bin/python3', ['-W', 'ignore', `${name}.py`]);

    python('train');
    python('export');
    const pruned = shell(prune!);
    const [, kept] = /kept ([\d,]+) of 5,904/.exec(pruned) ?? [];
    const loaded = python('load');
    expect(loaded).toContain('<All keys matched successfully>');
    const [, weights, error] = /(\d+) weights, error ([\d.]+)/.exec(loaded)!;
    expect(Number(weights)).toBe(Number(kept!.replace(',', '')));
    shell('npx lc-prune export .lcprune/runs/*-net --out pruned.onnx');
    const { lines } = await lcPrune(['evaluate', 'pruned.onnx', '--data', 'train.npz', '--json'], { cwd: folder });
    expect(Number(error)).toBeCloseTo(lines.at(-1)!['error'] as number, 4);
    expect(Number(error)).toBeLessThan(0.05);

    python('serve');
    const served = await lcPrune(['evaluate', 'served.onnx', '--data', 'train.npz', '--json'], { cwd: folder });
    expect(served.lines.at(-1)!['error']).toBeCloseTo(Number(error), 4);

    shell(mask!);
    const shares = JSON.parse(python('masks').trim().split('\n').at(-1)!.replaceAll("'", '"')) as Record<string, number>;
    expect(Object.keys(shares).sort()).toEqual(['conv1.weight_mask', 'conv2.weight_mask', 'fc.weight_mask']);
    const ofMasks = 144 * shares['conv1.weight_mask']! + 4608 * shares['conv2.weight_mask']! + 1152 * shares['fc.weight_mask']!;
    expect(Math.round(ofMasks)).toBe(Number(weights));
  }); // prettier-ignore
});
