/** The graph of a network and its picture's places: nothing overlaps, lines go down past the boxes, repeated blocks are found. */
import { describe, expect, test } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { layerLinks } from '../../../daemon/model/networkGraph/layerLinks.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { graphOf, inOrder, repeats, type Graph, type Layer } from '../../../webview/networkGraph/graph.js';
import { layoutOf, NODE, spread } from '../../../webview/networkGraph/layout.js';

const layer = (name: string, reads: string[], className = 'Dense'): Layer => ({
  name,
  className,
  outputShape: [4],
  params: 20,
  prunable: 16,
  flops: 32,
  zeros: 0,
  frozen: false,
  reads,
  units: null,
});

function ofArchitecture(name: 'lenet300' | 'resnet20' | 'resnet110'): Layer[] {
  const model = buildArchitecture(name, 0);
  const links = layerLinks(model);
  return summarizeModel(model).map(({ name, className, outputShape }) => ({
    ...layer(name, links.get(name)!.reads, className),
    outputShape: outputShape && [...outputShape],
  }));
}

const open = () => true;
const shut = () => false;

/** Boxes that overlap, and lines that run up or through a box that is not their own. */
function faults(graph: Graph): string[] {
  const { places, lines, width, height } = layoutOf(graph);
  const found: string[] = [];
  places.forEach((a, i) => {
    if (a.x < NODE.width / 2 || a.x > width - NODE.width / 2 || a.y > height) found.push(`${i} lies outside`);
    places.forEach((b, k) => {
      if (k > i && a.row === b.row && Math.abs(a.x - b.x) < NODE.width) found.push(`${i} and ${k} overlap`);
    });
  });
  lines.forEach((points, e) => {
    const [from, to] = graph.edges[e]!;
    points.forEach(([x, y], i) => {
      const before = points[i - 1];
      if (before && y < before[1]) found.push(`line ${e} runs up`);
      places.forEach((place, node) => {
        if (node === from || node === to) return;
        if (Math.abs(y - place.y) <= NODE.height / 2 && Math.abs(x - place.x) < NODE.width / 2)
          found.push(`line ${e} runs through ${node}`);
      });
    });
  });
  return found;
}

describe('order and repeated blocks', () => {
  test('a layer comes after those that it reads, in any order of the file; a cycle terminates', () => {
    const names = (layers: Layer[]) => inOrder(layers).map(({ name }) => name);
    expect(names([layer('c', ['a', 'b']), layer('b', ['a']), layer('a', [])])).toEqual(['a', 'b', 'c']);
    expect(names([layer('a', []), layer('b', ['a', 'c']), layer('c', ['b'])]).sort()).toEqual(['a', 'b', 'c']);
    const long = Array.from({ length: 20_000 }, (_, i) => layer(`l${i}`, i ? [`l${i - 1}`] : []));
    expect(names([...long].reverse())[19_999]).toBe('l19999');
  });

  test('a stretch of equal blocks is one node, and its edges are those of its ends', () => {
    const chain = ['in', 'a0', 'b0', 'a1', 'b1', 'a2', 'b2', 'out'];
    const layers = chain.map((name, i) => layer(name, i ? [chain[i - 1]!] : [], name[0] === 'a' ? 'Conv2D' : name));
    expect(repeats(layers)).toEqual([]);
    const same = layers.map((one) => ({ ...one, className: one.name[0]! }));
    expect(repeats(same)).toEqual([{ from: 1, length: 2, times: 3 }]);
    const graph = graphOf(same, shut);
    expect(graph.nodes.map(({ id, times, layers }) => [id, times, layers.length])).toEqual([['in', 1, 1], ['a0', 3, 6], ['out', 1, 1]]); // prettier-ignore
    expect(graph.edges).toEqual([[0, 1], [1, 2]]); // prettier-ignore
    expect(graphOf(same, open).nodes).toHaveLength(8);
  });

  test('the blocks of a residual network are found whole, not what looks alike across them', () => {
    const large = ofArchitecture('resnet20').map((one) => ({ ...one, prunable: one.className === 'Conv2D' ? 9 : 0 }));
    const [first] = repeats(inOrder(large));
    expect(first).toEqual({ from: 4, length: 7, times: 3 });
    expect(inOrder(large)[4]!.name).toBe('stage1_block1_conv1');
  });

  test('few layers stay unchanged; a residual network of 110 layers becomes a page', () => {
    const small = ofArchitecture('lenet300');
    expect(graphOf(small, shut).nodes).toHaveLength(small.length);
    const large = ofArchitecture('resnet110');
    expect(large.length).toBeGreaterThan(300);
    const graph = graphOf(large, shut);
    expect(graph.nodes.length).toBeLessThan(50);
    expect(graph.nodes.reduce((sum, { layers }) => sum + layers.length, 0)).toBe(large.length);
  });
});

describe('places', () => {
  test.each(['lenet300', 'resnet20', 'resnet110'] as const)('%s, whole and with its blocks as one', (name) => {
    for (const each of [open, shut]) expect(faults(graphOf(ofArchitecture(name), each))).toEqual([]);
  });

  test('branches lie beside each other and a line that skips rows goes around', () => {
    const graph = graphOf(
      [layer('in', []), layer('a', ['in']), layer('b', ['in']), layer('c', ['b']), layer('sum', ['a', 'c', 'in'])],
      open,
    );
    expect(faults(graph)).toEqual([]);
    const { places } = layoutOf(graph);
    expect(places.map(({ row }) => row)).toEqual([0, 1, 1, 2, 3]);
    expect(places[1]!.x).not.toBe(places[2]!.x);
  });

  test('a layer that is used twice in a circle still has its place', () => {
    expect(faults(graphOf([layer('a', ['c']), layer('b', ['a']), layer('c', ['b'])], open)).filter((text) => /overlap|outside/.test(text))).toEqual([]); // prettier-ignore
  });

  test('no layer at all', () => {
    expect(layoutOf({ nodes: [], edges: [] })).toEqual({ width: 0, height: 0, places: [], lines: [] });
  });

  test('spread: as near to the preferred places as the widths allow', () => {
    expect(spread([0, 100], [10, 10], 5)).toEqual([0, 100]);
    expect(spread([0, 0, 0], [10, 10, 10], 5)).toEqual([-15, 0, 15]);
    expect(spread([50, 0], [10, 10], 0)).toEqual([20, 30]);
  });
});
