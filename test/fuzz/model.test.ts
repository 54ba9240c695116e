/** Whatever a model file holds, reading it ends soon in a model or in a UserError of one line. Seeded; the same cases every run. */
import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../daemon/model/setup/architectures.js';
import { isModelJson, locateLayers } from '../../daemon/model/files/detect.js';
import { parseModelJson } from '../../daemon/model/files/modelJson.js';
import { readKerasH5, readKerasZip } from '../../daemon/model/files/readKeras.js';
import { readLayers } from '../fixtures/readLayers.js';
import { summarizeLayers } from '../../daemon/model/layers/summarizeLayers.js';
import { trainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';
import { UserError } from '../../daemon/protocol/errors.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../unit/model/fixtures');
const SEED = 20260729;

/** Fails the test on anything but a value or a UserError of one line. */
async function tolerates(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/\n/);
    expect(error.message.length).toBeLessThan(1000);
  }
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-fuzz-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

/** Every place in a JSON value, as paths of keys. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      places(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

const strange = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0, 1e308, 1.5, '', 'x', '__proto__', [], {}, [[]], [null], 'Sequential', 'Functional', 'LSTM', ['in', 0, 0], { class_name: 'Dense', config: {} }),
  fc.jsonValue({ maxDepth: 3 }),
); // prettier-ignore

interface Mutation {
  readonly at: number;
  readonly kind: 'replace' | 'delete' | 'copy';
  readonly value: unknown;
  readonly from: number;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('replace' as const, 'delete' as const, 'copy' as const),
  value: strange,
  from: fc.nat(),
});

const get = (root: unknown, path: (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], root);

/** The JSON with values replaced, deleted, or copied from elsewhere in it. */
function mutate(json: unknown, mutations: readonly Mutation[]): unknown {
  const root = { root: structuredClone(json) };
  for (const { at, kind, value, from } of mutations) {
    const all = places(root).slice(1);
    const path = all[at % all.length]!;
    const parent = get(root, path.slice(0, -1)) as Record<string | number, unknown>;
    const key = path.at(-1)!;
    if (kind === 'delete') delete parent[key];
    else parent[key] = structuredClone(kind === 'replace' ? value : get(root, all[from % all.length]!));
    if (!('root' in root)) return null;
  }
  return root.root;
}

/** Bytes flipped, cut, or repeated. */
const damage = fc.record({
  flips: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
  cut: fc.option(fc.nat(), { freq: 4 }),
});
function damaged(bytes: Uint8Array, { flips, cut }: { flips: [number, number][]; cut: number | null }): Uint8Array {
  const out = bytes.slice(0, cut === null ? bytes.length : cut % (bytes.length + 1));
  for (const [at, value] of flips) if (out.length > 0) out[at % out.length] = value;
  return out;
}

async function bases(): Promise<unknown[]> {
  const keras = await Promise.all(
    ['nested', 'rnn', 'cnn', 'misc'].map(async (name) =>
      JSON.parse(gunzipSync(await readFile(join(fixtures, name, `${name}.json.gz`))).toString()),
    ),
  );
  const manifest = [{ paths: ['w.bin'], weights: [{ name: 'fc1/kernel', shape: [784, 300], dtype: 'float32' }] }];
  return [
    ...keras,
    { format: 'layers-model', modelTopology: buildArchitecture('lenet5', 0).topology, weightsManifest: manifest },
    { modelTopology: buildArchitecture('resnet20', 0).topology },
  ];
}

describe('model.json', () => {
  it('with strange values', async () => {
    const all = await bases();
    let read = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }), async (base, mutations) => {
        const text = JSON.stringify(mutate(all[base], mutations)) ?? 'null';
        expect(() => [isModelJson(text), locateLayers(text)]).not.toThrow();
        await tolerates(() => {
          const parsed = parseModelJson(text, 'm.json');
          summarizeLayers({ topology: parsed.topology });
          trainingSetup({ kind: 'layers', format: 'keras-h5', weights: [], notes: [], topology: parsed.topology, path: 'm.json', ...(parsed.trainingConfig ? { trainingConfig: parsed.trainingConfig } : {}) });
          read++;
        });
      }),
      { seed: SEED, numRuns: 600 },
    );
    // Not everything is refused, or nothing was tested behind the first check.
    expect(read).toBeGreaterThan(30);
  });

  it('with damaged text', async () => {
    const texts = (await bases()).map((json) => new TextEncoder().encode(JSON.stringify(json)));
    await fc.assert(
      fc.asyncProperty(fc.nat(texts.length - 1), damage, async (base, how) => {
        const text = new TextDecoder().decode(damaged(texts[base]!, how));
        expect(() => [isModelJson(text), locateLayers(text)]).not.toThrow();
        await tolerates(() => summarizeLayers(parseModelJson(text, 'm.json')));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('that is not a model, or is nested without end', async () => {
    for (const text of ['['.repeat(1e6), '{"a":'.repeat(1e5), '"'.repeat(1000), `{"modelTopology":${'['.repeat(300)}${']'.repeat(300)}}`, '\u0000', '{"modelTopology":"{}"}']) {
      expect(() => [isModelJson(text), locateLayers(text)]).not.toThrow();
      await expect(Promise.resolve().then(() => parseModelJson(text, 'm.json'))).rejects.toBeInstanceOf(UserError);
    }
    await fc.assert(
      fc.asyncProperty(fc.json(), (text) => tolerates(() => parseModelJson(text, 'm.json'))),
      { seed: SEED, numRuns: 200 },
    );
  });
}); // prettier-ignore

describe('manifest and shards', () => {
  it('mutated beside each other', async () => {
    const path = join(folder, 'm.json');
    await writeTfjsModel(buildArchitecture('lenet300', 0), path);
    const json = JSON.parse(await readFile(path, 'utf8')) as { weightsManifest: { paths: string[] }[] };
    const shard = json.weightsManifest[0]!.paths[0]!;
    const bytes = new Uint8Array(await readFile(join(folder, shard)));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 3 }), damage, async (mutations, how) => {
        await writeFile(path, JSON.stringify({ ...json, weightsManifest: mutate(json.weightsManifest, mutations) }));
        await writeFile(join(folder, shard), damaged(bytes, how));
        await tolerates(() => readLayers('m.json', { workspace: folder }));
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});

describe('Keras files', () => {
  it('damaged HDF5', async () => {
    const files = await Promise.all(['cnn', 'nested', 'rnn', 'misc'].map(async (name) => new Uint8Array(await readFile(join(fixtures, `${name}.h5`)))));
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), damage, (base, how) => tolerates(() => readKerasH5(damaged(files[base]!, how), 'm.h5'))),
      { seed: SEED, numRuns: 120 },
    );
    // And the reader is still whole afterwards.
    expect((await readKerasH5(files[0]!, 'm.h5')).weights).toHaveLength(12);
  });

  it('damaged zips, and damaged members in whole zips', async () => {
    const files = await Promise.all(['cnn', 'nested', 'rnn', 'misc'].map(async (name) => new Uint8Array(await readFile(join(fixtures, `${name}.keras`)))));
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), damage, fc.constantFrom('', 'config.json', 'model.weights.h5'), async (base, how, member) => {
        const whole = files[base]!;
        let bytes: Uint8Array;
        if (member === '') bytes = damaged(whole, how);
        else {
          const members = unzipSync(whole);
          bytes = zipSync({ ...members, [member]: damaged(members[member]!, how) }, { level: 0 });
        }
        await tolerates(() => readKerasZip(bytes, 'm.keras'));
      }),
      { seed: SEED, numRuns: 120 },
    );
  });
}); // prettier-ignore
