/** The commands as a user runs them, on a tiny workspace, with the real engine. */
import { spawn } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyModel, tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

const PRUNABLE = 4 * 8 + 8 * 3;
const KAPPA = Math.ceil(0.25 * PRUNABLE);

/** Kernel values of a written model, by the file format alone: not through the product's reader. */
async function kernelValues(modelPath: string): Promise<number[]> {
  const json = JSON.parse(await readFile(modelPath, 'utf8')) as {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[] }[] }[];
  };
  const group = json.weightsManifest[0]!;
  const bytes = Buffer.concat(await Promise.all(group.paths.map((path) => readFile(resolve(modelPath, '..', path)))));
  const kernels: number[] = [];
  let offset = 0;
  for (const { name, shape } of group.weights) {
    const size = shape.reduce((a, b) => a * b, 1);
    for (let i = 0; i < size; i++) if (name.includes('kernel')) kernels.push(bytes.readFloatLE(offset + 4 * i));
    offset += 4 * size;
  }
  expect(bytes.length).toBe(offset);
  return kernels;
}

describe('lc-prune run', () => {
  it('prunes to exactly kappa, writes model and report, and ends with the done line', async () => {
    const { code, lines, stderr } = await lcPrune(['run', 'tiny.prune.json', '--json'], { cwd: ws.folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const done = lines.at(-1)! as {
      event: string;
      folder: string;
      kept: number;
      retrained: { error: number };
      reference: { error: number };
      theta: object;
      perLayer: { kept: number }[];
    };
    expect(done).toMatchObject({ event: 'done', kept: KAPPA, prunable: PRUNABLE });
    expect(done.perLayer.reduce((total, layer) => total + layer.kept, 0)).toBe(KAPPA);
    const kernels = await kernelValues(resolve(done.folder, 'result', 'model.json'));
    expect(kernels).toHaveLength(PRUNABLE);
    expect(kernels.filter((value) => value !== 0)).toHaveLength(KAPPA);
    // The clusters are far apart: a pruned network that learned nothing would be wrong two times out of three.
    expect(done.retrained.error).toBeLessThan(0.15);
    expect(await readFile(resolve(done.folder, 'result', 'report.html'), 'utf8')).toContain('<svg');
    expect(await readFile(resolve(done.folder, 'result', 'report.md'), 'utf8')).toContain('| fc1 |');
    const evaluated = await lcPrune(
      [
        'evaluate',
        resolve(done.folder, 'result', 'model.json'),
        '--data',
        'data.csv',
        '--scale',
        'none',
        '--json',
        '--workspace',
        ws.folder,
      ],
      { cwd: ws.folder },
    );
    expect(evaluated.lines.at(-1)).toMatchObject({ samples: 240, error: expect.any(Number), loss: expect.any(Number) });
    expect(evaluated.lines.at(-1)!['error']).toBeLessThan(0.15);
  });

  it('gives the same result for the same seed and another for another', async () => {
    const theta = async (seed: string) => {
      const { lines } = await lcPrune(['run', 'tiny.prune.json', '--json', '--seed', seed], { cwd: ws.folder });
      return kernelValues(resolve(lines.at(-1)!['folder'] as string, 'result', 'model.json'));
    };
    const [first, again, other] = [await theta('5'), await theta('5'), await theta('6')];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('compares with magnitude pruning of the same reference at equal budget', async () => {
    const { code, lines, stdout } = await lcPrune(['run', 'tiny.prune.json', '--json', '--compare', 'magnitude'], {
      cwd: ws.folder,
    });
    expect(code).toBe(0);
    const baseline = lines.find((line) => line['event'] === 'baseline') as {
      kept: number;
      reference: { error: number };
    };
    const done = lines.at(-1) as { event: string; kept: number; reference: { error: number }; folder: string };
    expect(done.event).toBe('done');
    expect(baseline.kept).toBe(done.kept);
    expect(baseline.reference).toEqual(done.reference);
    expect(stdout).not.toContain('before retraining');
    expect(await readFile(resolve(done.folder, 'result', 'report.md'), 'utf8')).toMatch(/\| lc \|.*\n\| magnitude \|/);
  });

  it('checkpoints on Ctrl-C, prints how to resume, and resumes to the end', async () => {
    const long = { ...TINY_PLAN, schedule: { ...TINY_PLAN.schedule, iterations: 40, epochs: 300, tolerance: 0 } };
    const busy = await tinyWorkspace(long);
    try {
      const child = spawn(process.execPath, [resolve('dist', 'cli.mjs'), 'run', 'tiny.prune.json'], {
        cwd: busy.folder,
      });
      let stderr = '';
      let interrupted = false;
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
        if (/^ +2\/40/m.test(stderr) && !interrupted) interrupted = child.kill('SIGINT');
      });
      const code = await new Promise((done) => child.on('close', done));
      expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringMatching(/lc-prune resume \S+/) });
      const run = /lc-prune resume (\S+)/.exec(stderr)![1]!;
      const resumed = spawn(process.execPath, [resolve('dist', 'cli.mjs'), 'resume', run, '--json'], {
        cwd: busy.folder,
      });
      let seen = '';
      let again = false;
      resumed.stdout.setEncoding('utf8').on('data', (text: string) => {
        seen += text;
        if (/"event":"iteration".*"iteration":3\b/.test(seen) && !again) again = resumed.kill('SIGINT');
      });
      expect(await new Promise((done) => resumed.on('close', done))).toBe(130);
      expect(seen).toContain('"resumed":true');
      expect(seen).not.toMatch(/"event":"iteration".*"iteration":0\b/);
    } finally {
      await busy.remove();
    }
  });
});

describe('the other commands', () => {
  it('inspects shapes, weights and zeros', async () => {
    const { lines, code } = await lcPrune(['inspect', 'model.json', '--json'], { cwd: ws.folder });
    expect(code).toBe(0);
    expect(lines.filter((line) => line['event'] === 'layer')).toMatchObject([
      {
        name: 'fc1',
        className: 'Dense',
        outputShape: [8],
        params: 40,
        prunable: 32,
        flops: expect.any(Number),
        zeros: 0,
      },
      { name: 'fc2', className: 'Dense', outputShape: [3], params: 27, prunable: 24, zeros: 0 },
    ]);
    expect(lines.at(-1)).toMatchObject({ event: 'model', params: 67, prunable: PRUNABLE, bytes: 4 * 67 });
  });

  it('lists engines with reasons and chooses exactly one', async () => {
    const { lines } = await lcPrune(['engines', '--json'], { cwd: ws.folder });
    expect(lines.filter((line) => line['chosen'] === true)).toHaveLength(1);
    for (const line of lines)
      expect(line).toMatchObject({
        id: expect.any(String),
        reason: expect.stringMatching(/./),
        device: expect.any(String),
      });
  });

  it('writes a plan that runs, and never over another', async () => {
    const first = await lcPrune(
      ['init', 'model.json', '--data', 'data.csv', '--keep', '50%', '--out', 'new.prune.json'],
      { cwd: ws.folder },
    );
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    expect(await readFile(ws.path('new.prune.json'), 'utf8')).toContain('"50%"');
    expect(await lcPrune(['init', 'model.json', '--out', 'new.prune.json'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exists already'),
    });
  });

  it('trains a reference and writes it', async () => {
    const { code, lines, stderr } = await lcPrune(
      ['train', 'tiny.prune.json', '--out', 'trained/model.json', '--json'],
      { cwd: ws.folder },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(lines.at(-1)).toMatchObject({ event: 'done', model: ws.path('trained', 'model.json') });
    const trained = await kernelValues(ws.path('trained', 'model.json'));
    expect(trained).toHaveLength(PRUNABLE);
    const { weights } = tinyModel();
    expect(trained[0]).not.toBe(weights.readFloatLE(0));
  });

  it('lists the runs', async () => {
    expect((await lcPrune(['runs'], { cwd: ws.folder })).stdout).toContain('no runs here');
    await lcPrune(['run', 'tiny.prune.json'], { cwd: ws.folder });
    const { lines } = await lcPrune(['runs', '--json'], { cwd: ws.folder });
    expect(lines).toMatchObject([{ event: 'run', state: 'done', progress: 1, kept: KAPPA }]);
    expect(await readdir(ws.path('.lcprune', 'runs'))).toHaveLength(1);
  });
});

describe('lc-prune evaluate', () => {
  const evaluate = (model: string) =>
    lcPrune(['evaluate', model, '--data', 'data.csv', '--scale', 'none', '--json'], { cwd: ws.folder });

  it('takes a linear output over class labels as logits, with or without a training config, and reports it', async () => {
    const linear = (topology: Record<string, unknown>) => {
      const { layers } = topology['config'] as { layers: { config: Record<string, unknown> }[] };
      layers.at(-1)!.config['activation'] = 'linear';
    };
    const { json } = tinyModel(linear);
    await writeFile(ws.path('bare.json'), JSON.stringify(json));
    const loss = { class_name: 'SparseCategoricalCrossentropy', config: { from_logits: true } };
    const compiled = { ...json, trainingConfig: { loss } };
    await writeFile(ws.path('compiled.json'), JSON.stringify(compiled));
    const expected = (await evaluate('model.json')).lines.at(-1)!;
    const bare = await evaluate('bare.json');
    expect(bare.stderr).toContain('the output is linear and the data holds class labels');
    for (const { lines } of [bare, await evaluate('compiled.json')]) {
      expect(lines.at(-1)).toMatchObject({ error: expected['error'], samples: 240 });
      expect(lines.at(-1)!['loss']).toBeCloseTo(expected['loss'] as number, 5);
    }
  });
});

describe('lc-prune preview', () => {
  it('shows the samples with their labels, and writes a page', async () => {
    const { code, stdout } = await lcPrune(['preview', 'tiny.prune.json', '--samples', '5', '--out', 'grid.html'], {
      cwd: ws.folder,
    });
    expect(code).toBe(0);
    const labels = stdout.split('\n').flatMap((line) => /^(red|green|blue) +-?\d/.exec(line)?.[1] ?? []);
    expect(labels).toHaveLength(5);
    const page = await readFile(ws.path('grid.html'), 'utf8');
    expect(page.match(/<figcaption>(red|green|blue)<\/figcaption>/g)).toHaveLength(5);
  });
});
