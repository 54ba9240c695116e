/**
 * The whole product where there is no onnxruntime, as on macOS with an Intel processor: its bundles in a folder from which none is found. Once with our
 * own kernels, once with TensorFlow.js alone. Needs `npm run build`.
 */
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../daemon/export/formats.js';
import type { MeasuredExports } from '../../daemon/protocol/exports.js';
import { lcPrune } from '../fixtures/cli.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

const MISSING = `there is no onnxruntime for ${process.platform} ${process.arch}`;
const DATA = { source: 'data.csv', preprocess: { scale: 'none' } };

describe.each([
  ['our own kernels', true],
  ['TensorFlow.js alone', false],
])('without onnxruntime, on %s', (_name, hasKernels) => {
  let product: string;
  let ws: TinyWorkspace;
  let run: string;
  const cli = (...args: string[]) => lcPrune(args, { cwd: ws.folder, dist: product });
  const exportsOf = async () => JSON.parse(await readFile(join(run, 'result', 'exports.json'), 'utf8')) as MeasuredExports; // prettier-ignore

  beforeAll(async () => {
    product = await mkdtemp(join(tmpdir(), 'lc-prune-product-'));
    const filter = (source: string) =>
      !source.endsWith('.map') && !/dist[/\\](bench|onnx|fuzz)$/.test(source) && (hasKernels || !source.includes('prebuilt'));
    await cp(resolve('dist'), product, { recursive: true, filter });
    ws = await tinyWorkspace();
    // The file of a machine that has everything.
    const written = await lcPrune(['export', 'model.json', '--format', 'onnx', '--out', 'net.onnx'], { cwd: ws.folder });
    expect(written.code, written.stderr).toBe(0);
    await writeFile(ws.path('graph.prune.json'), JSON.stringify({ ...TINY_PLAN, data: DATA, model: 'net.onnx' }));
  }); // prettier-ignore
  afterAll(async () => {
    await ws.remove();
    await rm(product, { recursive: true, force: true });
  });

  it('the list of engines says what is missing', async () => {
    const { code, lines, stderr } = await cli('engines', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const runtimes = lines.filter(({ id }) => String(id).startsWith('onnx-'));
    expect(runtimes.length).toBeGreaterThan(0);
    for (const one of runtimes) expect(one).toMatchObject({ available: false, reason: MISSING });
    expect(lines.find(({ id }) => id === 'native-cpu')).toMatchObject({ available: hasKernels });
    expect(lines.find(({ id }) => id === 'tfjs-cpu')).toMatchObject({ available: true });
  });

  it('models of both kinds are inspected, and plans made of them', async () => {
    for (const model of ['model.json', 'net.onnx']) {
      const inspected = await cli('inspect', model, '--json');
      expect(inspected, inspected.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(inspected.lines.at(-1)).toMatchObject({ prunable: 4 * 8 + 8 * 3 });
      const made = await cli('init', model, '--data', 'data.csv', '--out', `${model}.prune.json`);
      expect(made, made.stderr).toMatchObject({ code: 0 });
      const preview = await cli('preview', `${model}.prune.json`);
      expect(preview, preview.stderr).toMatchObject({ code: 0 });
    }
  });

  it('a run meets its budget, with a baseline and a report', async () => {
    const { code, lines, stderr } = await cli('run', 'tiny.prune.json', '--compare', 'magnitude', '--json');
    expect(code, stderr).toBe(0);
    const done = lines.findLast(({ event }) => event === 'done')!;
    run = done['folder'] as string;
    expect(done).toMatchObject({ kept: 14 });
    expect(lines.find(({ event }) => event === 'start')).toMatchObject({ engine: hasKernels ? 'native-cpu' : 'tfjs-cpu' }); // prettier-ignore
    expect(await readFile(join(run, 'result', 'report.html'), 'utf8')).toContain('Sizes');
    const evaluated = await cli('evaluate', join(run, 'result', 'model.json'), '--data', 'data.csv', '--scale', 'none', '--json'); // prettier-ignore
    expect(evaluated, evaluated.stderr).toMatchObject({ code: 0 });
  });

  it('the figures of the result say why there is none of onnxruntime', async () => {
    const { formats, latency } = await exportsOf();
    expect(latency!.left).toContainEqual({ what: 'pruned', reason: expect.stringContaining(MISSING) as string });
    expect(latency!.rows.map(({ what, speedup }) => [what, speedup])).toEqual([
      ['sparse module', null],
      ['sparse module', null],
    ]);
    const errorOf = (id: string) => formats.find(({ format }) => format === id)!;
    const { error } = errorOf('keras');
    expect(error).toEqual(expect.any(Number));
    for (const id of ['onnx', 'onnx-thinned'])
      if (hasKernels) expect(errorOf(id)).toMatchObject({ error });
      else expect(errorOf(id).errorNote).toContain(MISSING);
  });

  it('a result is exported in every format', async () => {
    const listed = await cli('export', run);
    expect(listed, listed.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toContain(`no latency of pruned: ${MISSING}`);
    for (const { id, extension } of FORMATS) {
      const out = ws.path(`out-${id}${extension}`);
      const { code, stderr } = await cli('export', run, '--format', id, '--out', out);
      expect({ code, stderr }, id).toEqual({ code: 0, stderr: '' });
      expect((await stat(out)).size, id).toBeGreaterThan(0);
    }
  });

  it.runIf(hasKernels)('an ONNX file is pruned, evaluated and written with fewer units', async () => {
    const { code, lines, stderr } = await cli('run', 'graph.prune.json', '--json');
    expect(code, stderr).toBe(0);
    const { folder, kept, retrained } = lines.findLast(({ event }) => event === 'done') as { folder: string; kept: number; retrained: { error: number } }; // prettier-ignore
    expect(kept).toBe(14);
    const exported = await cli('export', folder, '--format', 'onnx-thinned', '--out', 'thin.onnx');
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    // The file is small, and computes what the run measured, where there is onnxruntime too.
    for (const dist of [product, resolve('dist')]) {
      const args = ['evaluate', 'thin.onnx', '--data', 'data.csv', '--scale', 'none', '--engine', dist === product ? 'native-cpu' : 'onnx-cpu', '--json']; // prettier-ignore
      const evaluated = await lcPrune(args, { cwd: ws.folder, dist });
      expect(evaluated, evaluated.stderr).toMatchObject({ code: 0 });
      expect(evaluated.lines.at(-1)!['error']).toEqual(expect.any(Number));
    }
    expect(retrained.error).toBeLessThan(0.5);
  });

  it.runIf(!hasKernels)('an ONNX file is not trained, with the way out', async () => {
    const { code, stderr } = await cli('run', 'graph.prune.json', '--json');
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(/TensorFlow\.js computes layers, not the operations of .*net\.onnx; native-cpu and onnx-cpu do/); // prettier-ignore
  });

  it('an engine of onnxruntime asked for by name is refused', async () => {
    const { code, stderr } = await cli('evaluate', 'model.json', '--data', 'data.csv', '--scale', 'none', '--engine', 'onnx-cpu'); // prettier-ignore
    expect(code).toBe(2);
    expect(stderr).toBe(`error: engine onnx-cpu: ${MISSING}\n`);
  });
});
