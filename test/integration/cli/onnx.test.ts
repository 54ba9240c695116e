/** The product on an ONNX file: every command that takes a model, and the same numbers as on the same network as layers. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxFile } from '../../../daemon/export/writeOnnx.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { lcPrune } from '../../fixtures/cli.js';
import { pythonHas } from '../../fixtures/debianPython.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
const cli = (...args: string[]) => lcPrune(args, { cwd: ws.folder });
type Done = { folder: string; kept: number; reference: object; theta: object; retrained: object; perLayer: unknown };
let done: Done;

const plan = (model: string) =>
  JSON.stringify({ ...TINY_PLAN, model, data: { source: 'data.csv', preprocess: { scale: 'none' } } });

beforeAll(async () => {
  ws = await tinyWorkspace();
  expect((await cli('train', 'tiny.prune.json', '--out', 'trained/model.json')).code).toBe(0);
  expect((await cli('export', 'trained/model.json', '--format', 'onnx', '--out', 'net.onnx')).code).toBe(0);
  for (const [name, model] of [['layers', 'trained/model.json'], ['graph', 'net.onnx']] as const)
    await writeFile(ws.path(`${name}.prune.json`), plan(model)); // prettier-ignore
  const run = await cli('run', 'graph.prune.json', '--json');
  expect(run.code, run.stderr).toBe(0);
  done = run.lines.at(-1) as Done;
});
afterAll(() => ws.remove());

describe('a run of an .onnx', () => {
  /** Runs the same plan on model.json and compares what has come of it. */
  async function sameFigures(ofGraph: Done, layersPlan: string): Promise<void> {
    const run = await cli('run', layersPlan, '--json');
    expect(run.code, run.stderr).toBe(0);
    const ofLayers = run.lines.at(-1) as Done;
    const figures = ({ kept, reference, theta, retrained }: Done) => ({ kept, reference, theta, retrained });
    expect(figures(ofGraph)).toEqual(figures(ofLayers));
    const weights = async (folder: string, file: string) => {
      const model = await readModel(join(folder, 'result', file), { workspace: ws.folder });
      return new Map(model.weights.map(({ name, data }) => [name, data]));
    };
    expect(await weights(ofGraph.folder, 'model.onnx')).toEqual(await weights(ofLayers.folder, 'model.json'));
  }

  it('gives the numbers of the same network as model.json, to the last digit', () =>
    sameFigures(done, 'layers.prune.json'));

  it('LeNet300 pruned to 1% does, too', async () => {
    const lenet = buildArchitecture('lenet300', 3);
    await mkdir(ws.path('lenet'));
    await writeTfjsModel(lenet, ws.path('lenet', 'model.json'));
    await writeFile(ws.path('lenet.onnx'), await onnxFile(lenet));
    const random = createRandom(8);
    // Ten classes, each bright in rows of its own.
    const rows = Array.from({ length: 400 }, (_, i) =>
      [i % 10, ...Array.from({ length: 784 }, (_, at) => (0.3 * random.next() + (Math.floor(at / 78.4) === i % 10 ? 0.5 : 0)).toFixed(2))].join(',')); // prettier-ignore
    const header = ['label', ...Array.from({ length: 784 }, (_, at) => `p${at}`)].join(',');
    await writeFile(ws.path('bright.csv'), [header, ...rows].join('\n'));
    for (const [name, model] of [['lenet-layers', 'lenet/model.json'], ['lenet-graph', 'lenet.onnx']] as const)
      await writeFile(ws.path(`${name}.prune.json`), JSON.stringify({ ...(JSON.parse(plan(model)) as object), data: { source: 'bright.csv', labels: 'label', validation: 0.2, preprocess: { scale: 'none' } }, budget: { keep: '1%' }, schedule: { mu0: 1e-3, a: 1.5, iterations: 3, epochs: 1 } })); // prettier-ignore
    const run = await cli('run', 'lenet-graph.prune.json', '--json');
    expect(run.code, run.stderr).toBe(0);
    const ofGraph = run.lines.at(-1) as Done;
    expect(ofGraph.kept).toBe(2662);
    await sameFigures(ofGraph, 'lenet-layers.prune.json');
  });

  it('writes the file itself with other weights, whose error onnxruntime confirms', async () => {
    const before = await readFile(ws.path('net.onnx'));
    const after = await readFile(join(done.folder, 'result', 'model.onnx'));
    expect(after.length).toBe(before.length);
    expect(after.equals(before)).toBe(false);
    const exports = JSON.parse(await readFile(join(done.folder, 'result', 'exports.json'), 'utf8')) as { formats: { format: string; error?: number }[]; left: { format: string; reason: string }[] }; // prettier-ignore
    const { error } = done.retrained as { error: number };
    expect(exports.formats.find(({ format }) => format === 'onnx')!.error).toBe(error);
    expect(exports.formats.map(({ format }) => format).sort()).toEqual(['mask-npz', 'onnx', 'onnx-thinned', 'safetensors', 'scipy-csr', 'sparse']); // prettier-ignore
    for (const { format, reason } of exports.left) expect(reason, format).toMatch(/^[^/]+: export it as onnx/);
  });

  it('is exported, evaluated and pruned again', async () => {
    const name = done.folder.split('/').at(-1)!;
    expect((await cli('export', name, '--format', 'onnx', '--out', 'pruned.onnx')).code).toBe(0);
    const evaluated = await cli('evaluate', 'pruned.onnx', '--data', 'data.csv', '--scale', 'none', '--json');
    expect(evaluated.code, evaluated.stderr).toBe(0);
    const inspected = await cli('inspect', 'pruned.onnx', '--json');
    const { zeros, prunable, format } = inspected.lines.at(-1) as Record<'zeros' | 'prunable' | 'format', number>;
    expect([prunable - zeros, format]).toEqual([done.kept, 'onnx']);
    const keras = await cli('export', name, '--format', 'keras', '--out', 'x.keras');
    expect(keras).toMatchObject({ code: 2, stderr: expect.stringMatching(/Keras holds layers, and an ONNX file has operations: export it as onnx or safetensors/) as string }); // prettier-ignore
    expect(await stat(ws.path('x.keras')).catch(() => null)).toBeNull();
  });
});

describe('other commands on an .onnx', () => {
  it('init, preview and sensitivity', async () => {
    const made = await cli('init', 'net.onnx', '--data', 'data.csv', '--out', 'made.prune.json');
    expect(made.code, made.stderr).toBe(0);
    const preview = await cli('preview', 'made.prune.json', '--json');
    expect(preview.code, preview.stderr).toBe(0);
    const sensitivity = await cli('sensitivity', 'net.onnx', '--data', 'data.csv', '--json');
    expect(sensitivity.code, sensitivity.stderr).toBe(0);
  });

  it('a path has a model for each point', async () => {
    await writeFile(ws.path('path.prune.json'), JSON.stringify({ ...JSON.parse(plan('net.onnx')) as object, path: { budgets: ['50%', '25%'] } })); // prettier-ignore
    const path = await cli('path', 'path.prune.json', '--json');
    expect(path.code, path.stderr).toBe(0);
    const { folder } = path.lines.at(-1) as Done;
    for (const point of [0, 1]) expect((await stat(join(folder, 'points', String(point), 'model.onnx'))).size).toBeGreaterThan(0); // prettier-ignore
  });

  it('what the file cannot do is one message with the way out', async () => {
    await writeFile(ws.path('broken.onnx'), (await readFile(ws.path('net.onnx'))).subarray(0, 300));
    const broken = await cli('inspect', 'broken.onnx');
    expect(broken.code).toBe(2);
    expect(broken.stderr.trim().split('\n')).toHaveLength(1);
    await writeFile(ws.path('units.prune.json'), JSON.stringify({ model: 'net.onnx', data: 'data.csv', budget: { neurons: '50%' } })); // prettier-ignore
    expect((await cli('preview', 'units.prune.json', '--json')).code).toBe(0);
  });
});

const CNN_PLAN = {
  model: 'cnn.onnx',
  data: { source: 'mnist', limit: 600, preprocess: { scale: 'unit' } },
  budget: { flops: '50%', prune: 'neurons' },
  schedule: { iterations: 2, epochs: 1 },
  reference: { epochs: 1 },
  retrain: { epochs: 1 },
};

describe('a CNN of PyTorch with BatchNorm, to half of its FLOPs by whole filters', () => {
  it('is written with fewer filters, smaller, and computes the same', async () => {
    await writeFile(ws.path('cnn.onnx'), await readFile('test/fixtures/onnx/mnist-cnn.onnx'));
    await writeFile(ws.path('flops.prune.json'), JSON.stringify(CNN_PLAN));
    const run = await cli('run', 'flops.prune.json', '--json');
    expect(run.code, run.stderr).toBe(0);
    const { folder } = run.lines.at(-1) as Done;
    const name = folder.split('/').at(-1)!;
    for (const format of ['onnx', 'onnx-thinned']) {
      const written = await cli('export', name, '--format', format, '--out', `${format}.onnx`);
      expect(written.code, written.stderr).toBe(0);
    }
    const [pruned, thinned] = await Promise.all(['onnx', 'onnx-thinned'].map((file) => stat(ws.path(`${file}.onnx`))));
    expect(thinned!.size).toBeLessThan(0.8 * pruned!.size);
    const table = async (file: string) => (await cli('inspect', file, '--json')).lines.at(-1) as { flops: number };
    const share = (await table('onnx-thinned.onnx')).flops / (await table('cnn.onnx')).flops;
    expect(share).toBeLessThanOrEqual(0.5);
    // A filter of the first convolution is 5% of the FLOPs, with the weights that read it.
    expect(share).toBeGreaterThan(0.44);
    const evaluate = async (file: string) => (await cli('evaluate', file, '--data', 'mnist', '--scale', 'unit', '--json')).lines.at(-1) as { loss: number; error: number }; // prettier-ignore
    const [before, after] = [await evaluate('onnx.onnx'), await evaluate('onnx-thinned.onnx')];
    expect(after.error).toBe(before.error);
    expect(Math.abs(after.loss / before.loss - 1)).toBeLessThan(1e-5);
  }, 120_000);
});

/** The SafeTensors format is a few lines; the library is not in Debian. */
const RESTORES = `
import json, struct, sys, numpy as np, torch
data = open(sys.argv[1], 'rb').read()
n = struct.unpack('<Q', data[:8])[0]
header = json.loads(data[8:8 + n])
state = {name: torch.tensor(np.frombuffer(data[8 + n + t['data_offsets'][0]:8 + n + t['data_offsets'][1]], np.float32).reshape(t['shape']).copy())
         for name, t in header.items() if name != '__metadata__'}
net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, padding=1, groups=4),
                          torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(128, 4))
found = net.load_state_dict(state, strict=False)
print(json.dumps({'missing': found.missing_keys, 'unexpected': found.unexpected_keys}))
`;

describe.runIf(pythonHas('torch'))('in PyTorch', () => {
  it('load_state_dict takes the SafeTensors of a file that it wrote', async () => {
    const file = await readFile('test/fixtures/onnx/cnn-training.onnx');
    await writeFile(ws.path('cnn.onnx'), file);
    expect((await cli('export', 'cnn.onnx', '--format', 'safetensors', '--out', 'cnn.safetensors')).code).toBe(0);
    const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', RESTORES, ws.path('cnn.safetensors')], { encoding: 'utf8' });
    expect(JSON.parse(stdout || JSON.stringify({ stderr }))).toEqual({ missing: expect.toSatisfy((names: string[]) => names.every((name) => name.endsWith('num_batches_tracked'))) as string[], unexpected: [] });
  }); // prettier-ignore
});
