import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { locateLayers } from '../../../daemon/model/files/detect.js';
import { parseModelJson } from '../../../daemon/model/files/modelJson.js';
import { summarizeLayers } from '../../../daemon/model/layers/summarizeLayers.js';

interface Generated {
  class_name: string;
  name?: string;
  config: { name: string; units?: number; layers?: Generated[] };
}

/** Paths of layers and their objects, by walking the parsed JSON: the oracle. */
function walk(layers: readonly Generated[], above = ''): { name: string; layer: Generated }[] {
  return layers.flatMap((layer) => {
    const name = above + layer.config.name;
    return [{ name, layer }, ...walk(layer.config.layers ?? [], `${name}/`)];
  });
}

const nameText = fc.string({
  minLength: 1,
  maxLength: 8,
  unit: fc.constantFrom('a', '"', '\\', '{', ']', 'é', '😀', ','),
});
const { layer } = fc.letrec<{ layer: Generated }>((tie) => ({
  layer: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      class_name: fc.constant('Dense'),
      config: fc.record({ name: nameText, units: fc.nat(), kernel_initializer: fc.constant({ class_name: 'Zeros', config: { name: 'no' } }) }), // prettier-ignore
      inbound_nodes: fc.constant([[['name', 0, 0, { name: 'no' }]]]),
    }),
    fc.record({
      // The nested layers may come before the name they belong under.
      class_name: fc.constant('Functional'),
      config: fc
        .tuple(nameText, fc.array(tie('layer'), { maxLength: 3 }), fc.boolean())
        .map(([name, layers, first]) => (first ? { name, layers } : { layers, name })),
    }),
  ),
}));

describe('locateLayers', () => {
  it.each([0, 2])('finds every layer of nested models, with any names and white space (indent %d)', (indent) => {
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
        const json = { modelTopology: { class_name: 'Model', config: { name: 'top', layers } }, weightsManifest: [{ weights: [{ name: 'a/kernel' }] }] }; // prettier-ignore
        const text = JSON.stringify(json, null, indent);
        const found = locateLayers(text);
        const expected = walk(layers);
        expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
        found.forEach(({ offset, length }, i) => {
          expect(JSON.parse(text.slice(offset, offset + length))).toEqual(expected[i]!.layer);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('gives the names of the summary for the shipped architectures', () => {
    for (const name of ['lenet300', 'lenet5', 'resnet20'] as const) {
      const { topology } = buildArchitecture(name, 0);
      const text = JSON.stringify({ modelTopology: topology }, null, 2);
      const summary = summarizeLayers({ topology: parseModelJson(text, 'm').topology }).map((layer) => layer.name);
      expect(locateLayers(text).map((place) => place.name)).toEqual(summary);
    }
  });

  it('reads the list of layers that old Keras wrote for a Sequential', () => {
    const text = '{"class_name":"Sequential","config":[{"class_name":"Dense","config":{"name":"d"}}]}';
    expect(locateLayers(text)).toMatchObject([{ name: 'd', offset: text.indexOf('{"class_name":"Dense"') }]);
  });

  it('never throws and stays inside the text, for any text', () => {
    const good = JSON.stringify({ modelTopology: buildArchitecture('lenet300', 0).topology });
    const cut = fc.tuple(fc.nat(good.length), fc.string()).map(([at, junk]) => good.slice(0, at) + junk);
    const brackets = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'layers', 'name') });
    fc.assert(
      fc.property(fc.oneof(cut, brackets, fc.json()), (text) => {
        for (const { offset, length } of locateLayers(text)) {
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(text.length);
          expect(text[offset]).toBe('{');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
