import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { isModelJson, locateLayers } from '../../../daemon/model/files/detect.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { summarizeLayers } from '../../../daemon/model/layers/summarizeLayers.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const keras = async (name: string): Promise<string> =>
  gunzipSync(await readFile(join(fixtures, name, `${name}.json.gz`))).toString();
const saved = (name: 'lenet5' | 'resnet20', space?: number): string =>
  JSON.stringify(
    { format: 'layers-model', modelTopology: buildArchitecture(name, 0).topology, weightsManifest: [] },
    null,
    space,
  );

describe('isModelJson', () => {
  it('takes models of every writer', async () => {
    expect(isModelJson(saved('lenet5'))).toBe(true);
    expect(isModelJson(saved('lenet5', 2))).toBe(true);
    expect(isModelJson(await keras('nested'))).toBe(true);
    expect(
      isModelJson('{"modelTopology":{"keras_version":"2.1","model_config":{"class_name":"Sequential","config":[]}}}'),
    ).toBe(true);
  });

  it('refuses everything else', () => {
    for (const text of [
      '', '[]', '{}', '"x"', '{"name":"pkg","dependencies":{}}', '{"modelTopology":null}',
      '{"format":"graph-model","modelTopology":{"node":[]}}', '{"modelTopology":{"node":[{"name":"Sequential"}]}}',
      '[{"paths":["a"],"weights":[]}]', '{"model":"model.json","budget":{"keep":"1%"}}', 'class_name: "Sequential"',
    ]) expect(isModelJson(text), text).toBe(false); // prettier-ignore
  });
});

describe('locateLayers', () => {
  for (const space of [undefined, 2]) {
    it(`finds every layer of a ${space ? 'formatted' : 'minified'} file, at its brace`, () => {
      const text = saved('resnet20', space);
      const rows = summarizeLayers(buildArchitecture('resnet20', 0));
      const found = locateLayers(text);
      expect(found.map(({ name, className }) => [name, className])).toEqual(rows.map((row) => [row.name, row.className]));
      const lines = text.split('\n');
      for (const { offset, line, column, name } of found) {
        expect(text[offset]).toBe('{');
        expect(lines[line]![column]).toBe('{');
        expect(text.slice(offset, offset + 400)).toContain(`"${name}"`);
      }
      if (space) expect(new Set(found.map((layer) => layer.line)).size).toBe(found.length);
    });
  }

  it('names nested layers as the summary does, and skips what wrappers hold', async () => {
    for (const name of ['nested', 'rnn']) {
      const text = await keras(name);
      const names = new Set(locateLayers(text).map((layer) => layer.name));
      const rows = summarizeLayers(normaliseTopology(JSON.parse(text), name, true)).map((row) => row.name);
      for (const row of rows) if (row !== 'seqq/seqq_d') expect(names.has(row), row).toBe(true);
      expect(names.has('seqq/d')).toBe(name === 'nested');
      expect([...names].some((n) => /forward_lstm|time_distributed\//.test(n))).toBe(false);
    }
  });

  it('reads what is whole of a text that is being typed', () => {
    const text = saved('lenet5', 2);
    expect(locateLayers(text.slice(0, text.indexOf('"pool2"'))).map((layer) => layer.name)).toContain('conv2');
    for (const broken of ['{"', '{"modelTopology":{"config":{"layers":[{"class_name":"Dense","config":{"name":"a', ']]}}', '{"a":"\\']) {
      expect(() => locateLayers(broken)).not.toThrow();
    }
  });

  it('a key called layers elsewhere, and names with quotes, do not fool it', () => {
    const text = '{"modelTopology":{"class_name":"Sequential","config":{"layers":[{"class_name":"Dense","config":{"name":"a\\"},{","layers":[{"class_name":"No","config":{"name":"no"}}]}}]}},"x":{"layers":[{"class_name":"No","config":{}}]}}';
    expect(locateLayers(text).map((layer) => layer.className)).toEqual(['Dense']);
  });
}); // prettier-ignore
