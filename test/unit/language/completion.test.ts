import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { completePlan } from '../../../daemon/language/completion.js';
import { WORDS } from '../../../daemon/lc/budgets/registry.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { parsePlan } from '../../../daemon/plan/parsePlan.js';

const layers = summarizeModel(buildArchitecture('lenet300', 0));
let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-complete-')));
  for (const name of ['net.json', 'net.keras', 'other.prune.json', 'package.json', 'train.npz']) {
    await writeFile(join(folder, name), '');
  }
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

/** Items at the `|` of a text. */
async function complete(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const document = TextDocument.create('file:///a.prune.json', 'json', 1, text);
  const items = await completePlan(text, offset, {
    path: join(folder, 'a.prune.json'),
    layers,
    range: (from, length) => ({ start: document.positionAt(from), end: document.positionAt(from + length) }),
  });
  const accept = (label: string) => {
    const item = items.find((candidate) => candidate.label === label);
    if (!item?.textEdit) throw new Error(`no item ${label} among ${items.map((each) => each.label).join(', ')}`);
    // A snippet's placeholders become their defaults.
    const plain = item.textEdit.newText.replace(/\$\{\d+:((?:[^}]|\}(?!["\s\]},]|$))*)\}/g, '$1').replace(/\$\d/g, '');
    return TextDocument.applyEdits(document, [{ ...item.textEdit, newText: plain } as never]);
  };
  return { labels: items.map((item) => item.label), items, accept };
}

describe('completePlan', () => {
  it('offers the keys of the place that are not there yet, explained', async () => {
    const { labels, items, accept } = await complete('{ "model": "net.json", | }');
    expect(labels).toContain('budget');
    expect(labels).toContain('schedule');
    expect(labels).not.toContain('model');
    expect(labels).not.toContain('keep');
    expect(JSON.stringify(items.find((item) => item.label === 'budget')?.documentation)).toContain('kappa');
    expect(accept('data')).toBe('{ "model": "net.json", "data": "mnist" }');
  });

  it('replaces the word under the cursor, and only the key if a value follows', async () => {
    expect((await complete('{ "mo|" }')).accept('model')).toBe('{ "model": "model.json" }');
    expect((await complete('{ "mo|": "net.json" }')).accept('model')).toBe('{ "model": "net.json" }');
    expect((await complete('{ "budget": { "ke|": "3%" } }')).accept('keep')).toBe('{ "budget": { "keep": "3%" } }');
  });

  it('knows keys inside budgets, tasks and settings', async () => {
    expect((await complete('{ "budget": { | } }')).labels).toContain('bytes');
    expect((await complete('{ "tasks": [{ "budget": { | } }] }')).labels).toContain('flops');
    expect((await complete('{ "schedule": { | } }')).labels).toEqual(
      expect.arrayContaining(['mu0', 'a', 'iterations']),
    );
    expect((await complete('{ "retrain": { | } }')).labels).toContain('epochs');
  });

  it('offers values: enums, booleans, files, data sets', async () => {
    expect((await complete('{ "method": | }')).labels).toEqual(['lc', 'magnitude', 'gradual']);
    expect((await complete('{ "method": "m|" }')).accept('magnitude')).toBe('{ "method": "magnitude" }');
    expect((await complete('{ "training": { "nesterov": | } }')).labels).toEqual(['true', 'false']);
    const model = await complete('{ "model": "|" }');
    expect(model.labels.sort()).toEqual(['net.json', 'net.keras']);
    expect(model.accept('net.keras')).toBe('{ "model": "net.keras" }');
    expect((await complete('{ "data": | }')).labels).toEqual(expect.arrayContaining(['mnist', 'cifar10', 'train.npz']));
    expect((await complete('{ "model": { "architecture": "|" } }')).labels).toContain('lenet300');
  });

  it('offers layer names where layers are named', async () => {
    const prunable = layers.filter((layer) => layer.prunable > 0).map((layer) => layer.name);
    expect((await complete('{ "exclude": ["|"] }')).labels).toEqual(prunable);
    expect((await complete('{ "tasks": [{ "layers": "|" }] }')).labels).toEqual([...prunable, '*']);
    const limits = await complete(`{ "budget": { "layers": { "${prunable[0]}": {}, | } } }`);
    expect(limits.labels).toEqual(prunable.slice(1));
  });

  it('writes a plan that is valid when completed key by key', async () => {
    let text = '{ | }';
    for (const key of ['model', 'data', 'budget']) {
      text = (await complete(text)).accept(key).replace(/ \}$/, key === 'budget' ? ' }' : ', | }');
    }
    expect(parsePlan(text).problems).toEqual([]);
  });

  it('writes a valid budget of each kind, explained', async () => {
    for (const kind of Object.keys(WORDS)) {
      const { items, accept } = await complete('{ "model": "net.json", "data": "mnist", "budget": { | } }');
      expect(JSON.stringify(items.find(({ label }) => label === kind)?.documentation), kind).toContain('`');
      expect(parsePlan(accept(kind)).problems, kind).toEqual([]);
    }
    expect((await complete('{ "budget": { "keep": | } }')).labels).toContain('5%');
    expect((await complete('{ "budget": { "constructor": | } }')).labels).toEqual([]);
  });

  it('never throws, at any place of any text', async () => {
    const good = '{ "model": "net.json", "tasks": [{ "layers": ["a"], "budget": { "keep": "1%" } }] }';
    const text = fc
      .tuple(fc.nat(good.length), fc.string({ maxLength: 5 }))
      .map(([at, junk]) => good.slice(0, at) + junk);
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.json(), fc.string()), fc.nat(100), async (any, at) => {
        const offset = Math.min(at, any.length);
        await complete(`${any.slice(0, offset).replaceAll('|', '')}|${any.slice(offset).replaceAll('|', '')}`);
      }),
      { numRuns: 300 },
    );
  });

  it('offers frozen layers to unfreeze', async () => {
    const frozen = layers.map((layer, i) => (i === 1 ? { ...layer, frozen: true as const } : layer));
    const offered = await completePlan('{ "unfreeze": [] }', 15, {
      path: join(folder, 'a.prune.json'),
      layers: frozen,
      range: () => ({ start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }),
    });
    expect(offered.map(({ label }) => label)).toEqual([layers[1]!.name]);
  });
});
