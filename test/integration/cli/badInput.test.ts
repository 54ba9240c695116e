/** Every bad input is one clear line on stderr, exit code 2, and nothing written. */
import { mkdir, symlink, truncate, writeFile, appendFile, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { TINY_PLAN, clusterCsv, tinyModel, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

const plan = (changes: object) => writeFile(ws.path('tiny.prune.json'), JSON.stringify({ ...TINY_PLAN, ...changes }));
const model = (change: Parameters<typeof tinyModel>[0]) =>
  writeFile(ws.path('model.json'), JSON.stringify(tinyModel(change).json));
const layersOf = (topology: Record<string, unknown>) =>
  (topology['config'] as { layers: { class_name: string; config: Record<string, unknown> }[] }).layers;

/** Each case breaks one thing and lists the words that the error must contain. */
const cases: Record<string, { break: () => Promise<unknown>; says: RegExp }> = {
  'a missing plan': { break: () => rm(ws.path('tiny.prune.json')), says: /tiny\.prune\.json.*no such plan/ },
  'a missing model': { break: () => rm(ws.path('model.json')), says: /model\.json/ },
  'a missing shard': { break: () => rm(ws.path('weights.bin')), says: /weights\.bin/ },
  'a short shard': { break: () => truncate(ws.path('weights.bin'), 100), says: /weights\.bin.*100/ },
  'a long shard': { break: () => appendFile(ws.path('weights.bin'), Buffer.alloc(4)), says: /weights\.bin.*bytes/ },
  'a git-lfs pointer': {
    break: () =>
      writeFile(ws.path('weights.bin'), 'version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 268\n'),
    says: /weights\.bin.*(git.lfs|LFS)/i,
  },
  'a graph-model': {
    break: () =>
      writeFile(
        ws.path('model.json'),
        JSON.stringify({
          format: 'graph-model',
          modelTopology: { node: [], library: {}, versions: {} },
          weightsManifest: [],
        }),
      ),
    says: /graph.model/i,
  },
  'Keras to_json without its weights': {
    break: () =>
      writeFile(
        ws.path('model.json'),
        JSON.stringify({ ...(tinyModel().json['modelTopology'] as object), keras_version: '2.4.0' }),
      ),
    says: /model\.json.*to_json.*weights/i,
  },
  'a null topology': {
    break: () => writeFile(ws.path('model.json'), JSON.stringify({ modelTopology: null, weightsManifest: [] })),
    says: /model\.json.*(topology|architecture)/i,
  },
  'JSON of another tool': {
    break: () => writeFile(ws.path('model.json'), JSON.stringify({ name: 'a-package', version: '1.0.0' })),
    says: /model\.json/,
  },
  'an unsupported layer': {
    break: () =>
      model((topology) => layersOf(topology).push({ class_name: 'Lambda', config: { name: 'secret_sauce' } })),
    says: /secret_sauce|Lambda/,
  },
  'a wrong input shape for the data': {
    break: () => writeFile(ws.path('data.csv'), clusterCsv().replace(/^/gm, '1.5,').replace('1.5,a', 'z,a')),
    says: /data\.csv.*(5|4)/,
  },
  'labels out of range': {
    break: () => writeFile(ws.path('data.csv'), `${clusterCsv()}\n0,0,0,0,violet\n`),
    says: /data\.csv.*(label|class)/i,
  },
  'NaN in the data': {
    break: () => writeFile(ws.path('data.csv'), `${clusterCsv()}\n0,nan,0,0,red\n`),
    says: /data\.csv.*(NaN|number)/i,
  },
  'NaN in the weights': {
    break: async () => {
      const { weights } = tinyModel();
      weights.writeFloatLE(Number.NaN, 8);
      await writeFile(ws.path('weights.bin'), weights);
    },
    says: /fc1\/kernel.*NaN|NaN.*fc1\/kernel/i,
  },
  'kappa above N': { break: () => plan({ budget: { weights: 57 } }), says: /"budget".*57.*56/ },
  'kappa below 1': { break: () => plan({ budget: { weights: 0 } }), says: /"budget".*the least is 1/ },
  'an unknown key': { break: () => plan({ budgett: {} }), says: /unknown key "budgett"; did you mean "budget"\?/ },
  'an unknown layer': { break: () => plan({ exclude: ['fc9'] }), says: /exclude.*fc9.*did you mean "fc1"/ },
  'deeply nested plan JSON': {
    break: () => writeFile(ws.path('tiny.prune.json'), `{"model":${'['.repeat(100_000)}`),
    says: /nested deeper/,
  },
  'deeply nested model JSON': {
    break: () => writeFile(ws.path('model.json'), `{"modelTopology":${'['.repeat(100_000)}`),
    says: /model\.json.*nest/,
  },
  'a huge plan': { break: () => writeFile(ws.path('tiny.prune.json'), ' '.repeat(5 << 20)), says: /too large/ },
  'a model path that leaves the workspace': {
    break: () => plan({ model: '../model.json' }),
    says: /out of the workspace/,
  },
  'a data path that leaves the workspace': {
    break: () => plan({ data: '/etc/hostname' }),
    says: /out of the workspace/,
  },
  'a symbolic link that leaves the workspace': {
    break: async () => {
      await mkdir(ws.path('linked'));
      await symlink('/etc', ws.path('linked', 'etc'));
      await plan({ data: 'linked/etc/hostname' });
    },
    says: /out of the workspace/,
  },
  'an unknown engine': { break: () => plan({ engine: 'abacus' }), says: /abacus/ },
};

describe('lc-prune run', () => {
  it.each(Object.entries(cases))(
    'refuses %s in one line, exit code 2, nothing written',
    async (_, { break: breakIt, says }) => {
      await breakIt();
      const before = await ws.listing();
      const { code, stdout, stderr } = await lcPrune(['run', 'tiny.prune.json'], { cwd: ws.folder });
      const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
      expect({ code, errors: errors.length, stderr }).toMatchObject({ code: 2, errors: 1 });
      expect(errors[0]).toMatch(says);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(stdout).toBe('');
      expect(await ws.listing()).toEqual(before);
    },
  );
});

describe('lc-prune', () => {
  it('names unknown commands and options', async () => {
    expect(await lcPrune(['prune'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no command "prune"'),
    });
    expect(await lcPrune(['run', 'tiny.prune.json', '--sed', '3'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--sed'),
    });
    expect(await lcPrune(['run', 'tiny.prune.json', '--seed', 'x'], { cwd: ws.folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--seed'),
    });
    expect(await lcPrune(['run'], { cwd: ws.folder })).toMatchObject({ code: 2 });
  });

  it('gives errors as JSON on stdout with --json', async () => {
    await rm(ws.path('weights.bin'));
    const { code, lines } = await lcPrune(['inspect', 'model.json', '--json'], { cwd: ws.folder });
    expect(code).toBe(2);
    expect(lines.at(-1)).toMatchObject({
      event: 'error',
      code: 'model-missing',
      message: expect.stringContaining('weights.bin'),
    });
  });
});
