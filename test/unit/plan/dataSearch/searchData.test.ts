/** Which data of a folder is offered for a model, in which order, and why. */
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { readLayers } from '../../../fixtures/readLayers.js';
import { searchData } from '../../../../daemon/plan/dataSearch/searchData.js';
import { walkForData, WALK_LIMITS } from '../../../../daemon/plan/dataSearch/walkForData.js';
import { clusterCsv, tinyModel } from '../../../fixtures/tinyWorkspace.js';

let folder: string;
let model: LayersModel;

const write = async (name: string, content: string | Buffer): Promise<void> => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
};

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-search-')));
  const { json, weights } = tinyModel();
  await write('net/model.json', JSON.stringify(json));
  await write('net/weights.bin', weights);
  model = await readLayers(join(folder, 'net/model.json'), { workspace: folder });
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

const search = () => searchData(model, { workspace: folder });
const names = async () => (await search()).candidates.map(({ name }) => name);

describe('searchData', () => {
  it('offers what fits with one line why, and says why the rest does not', async () => {
    await write('net/flowers.csv', clusterCsv(150));
    await write('net/wide.csv', 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n');
    await write('net/broken.npz', 'no zip');
    const { candidates, others, stopped } = await search();
    expect(candidates).toEqual([
      {
        data: 'flowers.csv',
        name: 'net/flowers.csv',
        kind: 'file',
        about: '150 rows, 4 inputs + label "label" (3 classes)',
        packages: [],
      },
    ]);
    expect(others.map(({ name }) => name)).toEqual(['net/broken.npz', 'net/wide.csv']);
    expect(others[1]!.why).toMatch(/2 values.*4/);
    expect(stopped).toBeNull();
  });

  it('says paths as a plan beside the model does, or as another plan', async () => {
    await write('data/all.csv', clusterCsv(60));
    expect((await search()).candidates[0]!.data).toBe('../data/all.csv');
    const other = await searchData(model, { workspace: folder, planFolder: join(folder, 'plans/a') });
    expect(other.candidates[0]!.data).toBe('../../data/all.csv');
  });

  it('has the nearest first, then the file of its name, then most samples; test parts last', async () => {
    await write('far/most.csv', clusterCsv(900));
    await write('net/few.csv', clusterCsv(30));
    await write('net/many.csv', clusterCsv(90));
    await write('net/model-data.csv', clusterCsv(45));
    await write('net/my_test.csv', clusterCsv(300));
    expect(await names()).toEqual([
      'net/model-data.csv',
      'net/many.csv',
      'net/few.csv',
      'net/my_test.csv',
      'far/most.csv',
    ]);
  });

  it('takes a test file beside the training file as its test part', async () => {
    await write('net/train.csv', clusterCsv(120));
    await write('net/test.csv', clusterCsv(30));
    const { candidates } = await search();
    expect(candidates).toMatchObject([
      {
        data: { source: 'train.csv', test: 'test.csv' },
        about: '120 + 30 rows, 4 inputs + label "label" (3 classes)',
      },
    ]);
  });

  it("names the built-in sets of the model's sizes, and takes none for granted", async () => {
    await write('digits.csv', clusterCsv(30));
    const lenet = { ...buildArchitecture('lenet300', 0), path: join(folder, 'net/model.json') };
    const { candidates, others } = await searchData(lenet, { workspace: folder });
    expect(candidates.map(({ name, kind }) => [name, kind])).toEqual([
      ['mnist', 'builtin'],
      ['fashion-mnist', 'builtin'],
    ]);
    expect(candidates[0]!.about).toMatch(/built in.*handwritten digits/);
    expect(others.map(({ name }) => name)).toEqual(['digits.csv']);
    expect((await search()).candidates.map(({ name }) => name)).toEqual(['digits.csv']);
  });

  it('sees folders of images, one per class, of which it decodes a few', async () => {
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    for (const part of ['train', 'test'])
      for (let kind = 0; kind < 10; kind++)
        for (let i = 0; i < (part === 'train' ? 6 : 2); i++) await write(`shots/${part}/${kind}/${i}.png`, picture);
    const resnet = { ...buildArchitecture('resnet20', 0), path: join(folder, 'net/model.json') };
    const { candidates } = await searchData(resnet, { workspace: folder });
    expect(candidates[0]).toMatchObject({ data: '../shots', name: 'shots', kind: 'images' });
    expect(candidates[0]!.about).toMatch(/^60 \+ 20 images, inputs of 32 x 32 x 3 \+ 10 classes: "0", "1", "2"/);
    expect(candidates.slice(1).map(({ name }) => name)).toEqual(['cifar10']);
    // They do not fit a model with another number of classes.
    expect((await search()).others.find(({ name }) => name === 'shots')).toBeDefined();
  });

  it('ends with the reason of its signal', async () => {
    await write('net/flowers.csv', clusterCsv(30));
    const reason = new Error('enough');
    await expect(searchData(model, { workspace: folder, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('walkForData', () => {
  const walk = async (limits = {}) => {
    const { found, stopped } = await walkForData(folder, folder, { limits: { ...WALK_LIMITS, ...limits } });
    return { found: found.map(({ path }) => path.slice(folder.length + 1)), stopped };
  };

  it('leaves out what tools write, and links that lead out of the workspace', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'lcprune-outside-'));
    try {
      await writeFile(join(outside, 'secret.csv'), clusterCsv(9));
      await symlink(outside, join(folder, 'out'));
      await symlink(join(outside, 'secret.csv'), join(folder, 'secret.csv'));
      await symlink(join(folder, 'nowhere.csv'), join(folder, 'dangling.csv'));
      for (const name of ['node_modules/a/x.csv', '.git/x.csv', '.hidden.csv', 'venv/x.csv', 'net/weights.bin'])
        await write(name, 'x');
      await write('real/a.csv', clusterCsv(9));
      await symlink(join(folder, 'real'), join(folder, 'again'));
      await symlink(folder, join(folder, 'real/round'));
      const { found, stopped } = await walk();
      // The same folder under another name counts once.
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(/^(real|again)\/a\.csv$/);
      expect(stopped).toBeNull();
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('stops at its bounds and says at which', async () => {
    for (let i = 0; i < 12; i++) await write(`d${i}/x.csv`, 'a');
    await write('a/b/c/d/deep.csv', 'a');
    expect((await walk()).found).toHaveLength(13);
    expect((await walk({ depth: 2 })).found).not.toContain('a/b/c/d/deep.csv');
    expect(await walk({ folders: 4 })).toMatchObject({ stopped: expect.stringContaining('more than 4 folders') });
    expect(await walk({ names: 5 })).toMatchObject({ stopped: expect.stringContaining('more than 5 files') });
    expect(await walk({ milliseconds: 0 })).toMatchObject({ stopped: expect.stringContaining('took more than') });
    const { stopped } = await walkForData(folder, folder, { signal: AbortSignal.abort() });
    expect(stopped).toMatch(/given up/);
  });

  it('has a folder of shards, of IDX pairs and of CIFAR files as one data set', async () => {
    await write('hub/data/train-00000-of-00002.parquet', 'a');
    await write('hub/data/train-00001-of-00002.parquet', 'a');
    await write('idx/train-images-idx3-ubyte', 'a');
    await write('idx/train-labels-idx1-ubyte', 'a');
    await write('cifar/data_batch_1.bin', 'a');
    expect((await walk()).found.sort()).toEqual(['cifar', 'hub/data', 'idx']);
  });
});
