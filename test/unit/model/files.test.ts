import {
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
  appendFile,
  rename,
  chmod,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../daemon/protocol/errors.js';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { hashModel, withWeights } from '../../../daemon/model/weights.js';
import { resolveInside } from '../../../daemon/files/workspacePath.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { difference, loadPlain, savePlain, scratch, tf, tfl } from './tfjs.js';

const L = tfl.layers;
const small = (): tfl.Sequential =>
  tfl.sequential({
    layers: [
      L.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 1], activation: 'relu', name: 'c' }),
      L.batchNormalization({ name: 'bn' }),
      L.flatten({ name: 'f' }),
      L.dense({ units: 3, activation: 'softmax', name: 'd' }),
    ],
  });
const branched = (): tfl.LayersModel => {
  const [a, b] = [tfl.input({ shape: [6], name: 'a' }), tfl.input({ shape: [4], name: 'b' })];
  const left = L.dense({ units: 5, activation: 'tanh', name: 'left' }).apply(a);
  const right = L.dense({ units: 5, activation: 'tanh', name: 'right' }).apply(b);
  const sum = L.add({ name: 'sum' }).apply([left, right] as tfl.SymbolicTensor[]);
  return tfl.model({ inputs: [a, b], outputs: L.dense({ units: 2, name: 'out' }).apply(sum) as tfl.SymbolicTensor });
};

interface ManifestJson {
  weightsManifest: { paths: string[] }[];
}

/** The error as the user sees it: one line, one code. */
async function failure(action: Promise<unknown>): Promise<UserError> {
  const error = await action.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).not.toContain('\n');
  return error as UserError;
}

describe('TensorFlow.js files', () => {
  for (const [name, build, shard] of [
    ['Sequential, one shard', small, 1 << 20],
    ['Functional, several shards that cut tensors', branched, 37],
  ] as const) {
    it(`${name}: read, prune, write; plain TensorFlow.js predicts the same`, async () => {
      const folder = await scratch();
      const original = build();
      const model = await readLayers(await savePlain(original, folder, shard), { workspace: folder });
      expect(model.notes).toEqual([]);
      for (const [i, weight] of original.weights.entries()) {
        const read = model.weights.find((w) => w.name === (weight as unknown as { originalName: string }).originalName);
        expect(difference(read!.data, weight.read().dataSync()), `weight ${i}`).toBe(0);
      }
      const pruned = withWeights(
        model,
        new Map(model.weights.map((w) => [w.name, w.data.map((x, i) => (i % 3 ? 0 : x))])),
      );
      expect(hashModel(pruned)).not.toBe(hashModel(model));
      await writeTfjsModel(pruned, join(folder, 'pruned.json'));
      const reloaded = await loadPlain(join(folder, 'pruned.json'));
      const values = new Map(pruned.weights.map((w) => [w.name, w]));
      for (const weight of original.weights) {
        const w = values.get((weight as unknown as { originalName: string }).originalName)!;
        weight.write(tf.tensor(w.data, [...w.shape]));
      }
      const inputs = original.inputs.map((input, i) => tf.randomNormal([5, ...input.shape.slice(1)] as number[], 0, 1, 'float32', i));
      const [a, b] = [original.predict(inputs) as tf.Tensor, reloaded.predict(inputs) as tf.Tensor];
      expect(difference(a.dataSync(), b.dataSync())).toBeLessThanOrEqual(1e-6);
    });
  }

  it('shards are 4 MB, and an overwritten model leaves no old shards', async () => {
    const folder = await scratch();
    const big = tfl.sequential({ layers: [L.dense({ units: 1500, inputShape: [1000], name: 'big' })] });
    const model = await readLayers(await savePlain(big, folder), { workspace: folder });
    const path = join(folder, 'out.json');
    await writeTfjsModel(model, path);
    const zeroed = withWeights(model, new Map([['big/kernel', new Float32Array(1_500_000)]]));
    await writeTfjsModel(zeroed, path);
    const files = (await readdir(folder)).filter((name) => name.startsWith('out.'));
    expect(files.length).toBe(3);
    const sizes = await Promise.all(files.filter((f) => f.endsWith('.bin')).map(async (f) => (await readFile(join(folder, f))).length));
    expect(sizes.sort((a, b) => b - a)).toEqual([4194304, 6_006_000 - 4194304]);
    expect(hashModel(await readLayers(path, { workspace: folder }))).toBe(hashModel(zeroed));
  });

  it('quantized shards are dequantized as TensorFlow.js does', async () => {
    const folder = await scratch();
    const path = await savePlain(tfl.sequential({ layers: [L.dense({ units: 3, inputShape: [4], name: 'd' })] }), folder);
    const json = JSON.parse(await readFile(path, 'utf8'));
    const bytes = Buffer.alloc(12 + 2 * 3);
    for (let i = 0; i < 12; i++) bytes[i] = 20 * i;
    [0x3c00, 0xc100, 0x0001].forEach((half, i) => bytes.writeUInt16LE(half, 12 + 2 * i));
    json.weightsManifest[0].weights = [
      { name: 'd/kernel', shape: [4, 3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.01, min: -1 } },
      { name: 'd/bias', shape: [3], dtype: 'float32', quantization: { dtype: 'float16', original_dtype: 'float32' } },
    ];
    await writeFile(path, JSON.stringify(json));
    await writeFile(join(folder, json.weightsManifest[0].paths[0]), bytes);
    const model = await readLayers(path, { workspace: folder });
    const plain = tf.io.decodeWeights(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer, json.weightsManifest[0].weights);
    for (const weight of model.weights) expect([...weight.data]).toEqual([...plain[weight.name]!.dataSync()]);
    expect([...model.weights[1]!.data]).toEqual([1, -2.5, Math.fround(2 ** -24)]);
  });
}); // prettier-ignore

describe('weights that are not in the place that the manifest names', () => {
  const saved = async (): Promise<{ folder: string; path: string; json: ManifestJson; hash: string }> => {
    const folder = await scratch();
    const path = await savePlain(small(), folder);
    const hash = hashModel(await readLayers(path, { workspace: folder }));
    return { folder, path, json: JSON.parse(await readFile(path, 'utf8')) as ManifestJson, hash };
  };
  const name = 'group1-shard1of1.bin';
  const rewrite = async (path: string, json: ManifestJson, manifestPath: string): Promise<void> => {
    json.weightsManifest[0]!.paths = [manifestPath];
    await writeFile(path, JSON.stringify(json));
  };

  it('are found beside the JSON, and a note reports it', async () => {
    const { folder, path, json, hash } = await saved();
    for (const elsewhere of [`./deep/${name}`, `..\\models\\${name}`, `/content/export/${name}`, `../../${name}`, `https://example.org/m/${name}?x=1`]) {
      await rewrite(path, json, elsewhere);
      const model = await readLayers(path, { workspace: folder });
      expect(hashModel(model)).toBe(hash);
      expect(model.notes.join()).toContain(`"${name}" beside the model was read`);
    }
  });

  it('the stem of the JSON, a lost ending, and the one file of the right size', async () => {
    const { folder, path, json, hash } = await saved();
    for (const now of ['model.weights.bin', 'model.bin', 'whatever.dat']) {
      await rename(join(folder, (await readdir(folder)).find((f) => f !== 'model.json')!), join(folder, now));
      await rewrite(path, json, 'my-net.weights.bin');
      const model = await readLayers(path, { workspace: folder });
      expect(hashModel(model)).toBe(hash);
      expect(model.notes.join()).toContain(now);
    }
    await writeFile(join(folder, 'twin.dat'), await readFile(join(folder, 'whatever.dat')));
    const error = await failure(readLayers(path, { workspace: folder }));
    expect(error.code).toBe('model-missing');
    expect(error.message).toContain('my-net.weights.bin');
  });

  it('never outside the workspace, through links neither', async () => {
    const { folder, path, json } = await saved();
    const inner = join(folder, 'ws');
    await mkdir(inner);
    await rename(path, join(inner, 'model.json'));
    await rewrite(join(inner, 'model.json'), json, `../${name}`);
    expect((await failure(readLayers('model.json', { workspace: inner }))).code).toBe('path-outside-workspace');
    await symlink(join(folder, name), join(inner, name));
    expect((await failure(readLayers('model.json', { workspace: inner }))).code).toBe('path-outside-workspace');
    expect((await failure(readLayers(join(folder, name), { workspace: inner }))).code).toBe('path-outside-workspace');
  });
}); // prettier-ignore

describe('broken weight files', () => {
  const shards = async (): Promise<{ folder: string; path: string; shard: (i: number) => string }> => {
    const folder = await scratch();
    const path = await savePlain(small(), folder, 500);
    return { folder, path, shard: (i) => join(folder, `group1-shard${i}of4.bin`) };
  };

  it('missing, short, long, a git-lfs pointer, a web page: each names the shard and the cause', async () => {
    const breakages: [string, (shard: string) => Promise<unknown>, RegExp][] = [
      ['missing', (shard) => rm(shard), /group1-shard2of4\.bin" is missing; put it beside/],
      ['short', (shard) => truncate(shard, 400), /group1-shard2of4\.bin is 400 bytes .* needs 500: it is too short/],
      ['4 bytes too long', (shard) => appendFile(shard, 'abcd'), /group1-shard2of4\.bin is 504 bytes .* too long/],
      ['lfs', (shard) => writeFile(shard, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 500\n'), /group1-shard2of4\.bin is a git-lfs pointer.*git lfs pull/],
      ['html', (shard) => writeFile(shard, '<!DOCTYPE html><html>404</html>'), /group1-shard2of4\.bin is a web page/],
    ];
    for (const [, damage, message] of breakages) {
      const { folder, path, shard } = await shards();
      await damage(shard(2));
      expect((await failure(readLayers(path, { workspace: folder }))).message).toMatch(message);
    }
  });

  it('the last shard too long is found', async () => {
    const { folder, path, shard } = await shards();
    await appendFile(shard(4), 'abcd');
    expect((await failure(readLayers(path, { workspace: folder }))).message).toMatch(/group1-shard4of4\.bin .* too long/);
  });

  it('NaN and infinities are refused by weight', async () => {
    const { folder, path, shard } = await shards();
    const bytes = await readFile(shard(1));
    bytes.writeFloatLE(Infinity, 8);
    await writeFile(shard(1), bytes);
    const error = await failure(readLayers(path, { workspace: folder }));
    expect(error.message).toMatch(/weight "c\/kernel" holds Infinity at position 2/);
  });
}); // prettier-ignore

describe('writing', () => {
  it('replaces a file as a whole and leaves nothing beside it', async () => {
    const folder = await scratch();
    const path = join(folder, 'x.txt');
    await writeFileAtomic(path, 'one');
    await writeFileAtomic(path, ['tw', new Uint8Array([0x6f])]);
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['x.txt']);
  });

  it('reports what is wrong, and cleans up', async () => {
    const folder = await scratch();
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'x'), '');
    const error = await failure(writeFileAtomic(join(folder, 'taken'), 'text'));
    expect(error.code).toBe('disk');
    expect(error.message).toContain('taken was not written');
    expect(await readdir(folder)).toEqual(['taken']);
    expect((await failure(writeFileAtomic(join(folder, 'none', 'x'), 'text'))).message).toContain(
      'folder does not exist',
    );
  });

  it.skipIf(process.getuid?.() === 0)('a read-only folder stays as it was', async () => {
    const folder = await scratch();
    await writeFile(join(folder, 'x'), 'old');
    await chmod(folder, 0o500);
    expect((await failure(writeFileAtomic(join(folder, 'x'), 'new'))).code).toBe('disk');
    expect(await readFile(join(folder, 'x'), 'utf8')).toBe('old');
    await chmod(folder, 0o700);
  });
});

describe('resolveInside', () => {
  it('accepts what lies inside, also when missing', async () => {
    const ws = await scratch();
    await mkdir(join(ws, 'a'));
    await writeFile(join(ws, 'a', 'f'), '');
    await symlink(join(ws, 'a'), join(ws, 'link'));
    expect(await resolveInside(ws, join(ws, 'a'), 'f')).toBe(join(ws, 'a', 'f'));
    expect(await resolveInside(ws, ws, 'link/f')).toBe(join(ws, 'a', 'f'));
    expect(await resolveInside(ws, join(ws, 'a'), '../new/deep/x')).toBe(join(ws, 'new', 'deep', 'x'));
    expect(await resolveInside(ws, ws, '..data')).toBe(join(ws, '..data'));
  });

  it('refuses escapes: dots, absolute paths, links, dangling links, URLs, NUL', async () => {
    const outside = await scratch();
    const ws = join(outside, 'ws');
    await mkdir(ws);
    await symlink(outside, join(ws, 'out'));
    await symlink(join(outside, 'nothing'), join(ws, 'dangling'));
    for (const path of ['..', '../x', '/etc/passwd', 'out/x', 'dangling', 'https://example.org/x', 'a\0b']) {
      const error = await failure(resolveInside(ws, ws, path));
      expect(error.code, path).toBe('path-outside-workspace');
    }
  });
});
