/** The reach of a client: no path, run, target or URI leads out of the workspace, and nothing starts without trust. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../harness.js';
import { startAttacked, type Attacked } from './attacked.js';

let attacked: Attacked;
beforeAll(async () => {
  attacked = await startAttacked();
});
afterEach(() => attacked.expectWell());
afterAll(() => attacked.close());

describe('the reach of a client', () => {
  let client: Client;
  beforeAll(async () => {
    client = await attacked.daemon.client([attacked.workspace]);
  });
  afterAll(() => client.close());

  const escapes = () => [
    '/etc/passwd',
    attacked.outside,
    join(attacked.outside, 'model.json'),
    `${attacked.workspace}/../outside/model.json`,
    `${attacked.workspace}-other/model.json`,
    join(attacked.workspace, 'link', 'model.json'),
    join(attacked.workspace, 'link.json'),
    join(attacked.workspace, 'link', 'new', 'file.json'),
    'model.json',
    '../outside/model.json',
    './link.json',
    '~/model.json',
    `file://${attacked.outside}/model.json`,
    'C:\\Windows\\win.ini',
    '\\\\server\\share\\model.json',
    `${attacked.workspace}\0/model.json`,
    `${attacked.workspace}/${'a/'.repeat(1000)}../../model.json`,
  ];

  it.each<[string, (path: string) => unknown]>([
    ['lc/inspect', (model) => ({ model })],
    ['lc/preview', (model) => ({ model, budget: { keep: '1%' } })],
    ['lc/createPlan', (model) => ({ model, data: 'mnist', budget: { keep: '1%' } })],
    ['lc/searchData', (model) => ({ model })],
    ['lc/previewData', (model) => ({ model, data: 'mnist' })],
    ['lc/start', (planPath) => ({ planPath })],
    ['lc/previewPlan', (planPath) => ({ planPath })],
  ])('%s stays inside the workspace', async (method, params) => {
    for (const path of escapes()) {
      const error = await client.refused(method, params(path));
      expect({ path, code: error.code, data: error.data }).toMatchObject({ path, code: -32050 });
      // The last one only winds about inside: there it is simply missing.
      const inside = resolve(path).startsWith(`${attacked.workspace}/a/`);
      expect((error.data as { code: string }).code).toMatch(
        inside ? /^(model-missing|plan-invalid)$/ : /^path-outside-workspace$/,
      );
      expect(error.message).not.toContain('internal error');
    }
  });

  it.each([
    ['lc/plan', {}],
    ['lc/delete', {}],
    ['lc/rename', { name: 'x' }],
    ['lc/pause', {}],
    ['lc/resume', {}],
    ['lc/stop', {}],
    ['lc/setBudget', { budget: { keep: '1%' } }],
    ['lc/history', { from: 0, limit: 10 }],
    ['lc/subscribe', { on: true }],
    ['lc/layer', { layer: 'fc1' }],
    ['lc/exportFormats', {}],
    ['lc/latency', { point: 0 }],
    ['lc/finish', {}],
    ['lc/changed', { point: 0 }],
    ['lc/trySample', { sample: { kind: 'values', inputs: [[1]] } }],
    ['lc/export', { format: 'tfjs-layers', target: '/etc/passwd' }],
  ])('%s takes no path for a run', async (method, rest) => {
    for (const run of ['..', '.', '../../outside', '/etc', 'a/b', 'a\\b', '\0', '__proto__', 'absent', '%2e%2e']) {
      const error = await client.refused(method, { run, ...rest });
      expect(error.code).toBe(-32050);
      expect((error.data as { code: string }).code).toBe('run-missing');
    }
  });

  it('an export of an existing run is not written outside, and no sample is read from there', async () => {
    const run = 'victim';
    const runs = join(attacked.workspace, '.lcprune');
    await mkdir(join(runs, 'runs', run), { recursive: true });
    try {
      for (const target of escapes()) {
        if (resolve(target).startsWith(`${attacked.workspace}/a/`)) continue;
        const error = await client.refused('lc/export', { run, format: 'tfjs-layers', target });
        expect({ target, data: error.data }).toMatchObject({ target, data: { code: 'path-outside-workspace' } });
        const sample = { kind: 'file', file: target };
        const tried = await client.refused('lc/trySample', { run, sample });
        expect({ target, data: tried.data }).toMatchObject({ target, data: { code: 'path-outside-workspace' } });
      }
    } finally {
      await rm(runs, { recursive: true });
    }
  });

  it('a plan outside that is opened in the editor is not read further, and reaches nothing', async () => {
    const textDocument = { uri: `file://${join(attacked.outside, 'evil.prune.json')}` };
    const text = '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }';
    const from = client.received.length;
    client.notify('textDocument/didOpen', { textDocument: { ...textDocument, languageId: 'x', version: 1, text } });
    expect(await client.call('textDocument/documentLink', { textDocument })).toEqual([]);
    const told = client.received.slice(from).filter(({ method }) => method === 'textDocument/publishDiagnostics');
    expect(JSON.stringify(told)).not.toContain('model.json');
    client.notify('textDocument/didClose', { textDocument });
  });

  it('files outside are not described by language features, inside links are not followed', async () => {
    for (const path of [join(attacked.outside, 'model.json'), join(attacked.workspace, 'link.json')]) {
      const textDocument = { uri: `file://${path}` };
      expect(await client.call('textDocument/codeLens', { textDocument })).toEqual([]);
      expect(await client.call('textDocument/hover', { textDocument, position: { line: 0, character: 0 } })).toBeNull();
    }
  });

  it('without trust nothing runs, nothing is written, and the message names the way out', async () => {
    const careful = await attacked.daemon.client([attacked.workspace], { trusted: false });
    const run = { run: 'x' };
    for (const [method, params] of [
      ['lc/start', { planPath: join(attacked.workspace, 'x.prune.json') }],
      ['lc/resume', run],
      ['lc/delete', run],
      ['lc/rename', { ...run, name: 'y' }],
      ['lc/setBudget', { ...run, budget: { keep: '1%' } }],
      ['lc/createPlan', { model: join(attacked.workspace, 'model.json'), data: 'mnist', budget: { keep: '1%' } }],
      ['lc/previewData', { model: join(attacked.workspace, 'model.json'), data: 'mnist' }],
      ['lc/export', { ...run, format: 'tfjs-layers', target: join(attacked.workspace, 'out') }],
    ] as const) {
      const error = await careful.refused(method, params);
      expect(error).toMatchObject({ code: -32051, message: expect.stringContaining('Workspace Trust') });
    }
    careful.notify('lc/trust', { trusted: true });
    expect((await careful.refused('lc/resume', run)).code).toBe(-32050);
    careful.notify('lc/trust', { trusted: 'yes' });
    careful.notify('lc/trust', { trusted: false });
    expect((await careful.refused('lc/resume', run)).code).toBe(-32051);
    await careful.close();
  });

  it('a file, a root and a foreign URI do not become a workspace', async () => {
    const lost = await Client.open(attacked.daemon.connect());
    await lost.call('initialize', {
      processId: null,
      rootUri: null,
      capabilities: {},
      workspaceFolders: [
        'file:///',
        'https://evil.example/',
        'file:///absent',
        'vscode-vfs://github/a/b',
        'not a uri',
      ].map((uri) => ({ uri, name: uri })),
      initializationOptions: { trusted: true },
    });
    lost.notify('initialized', {});
    expect((await lost.refused('lc/inspect', { model: '/etc/passwd' })).code).toBe(-32050);
    expect(await lost.call('lc/runs', null)).toEqual([]);
    await lost.close();
  });
});
