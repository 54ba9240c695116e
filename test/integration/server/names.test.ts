/** Files as the client names them: folders opened by links, plans in subfolders, spaces and other letters, two folders at once. */
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

const SUB = 'réseau 網路';
let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let daemon: Daemon;
let client: Client;
/** The second workspace folder, as it is opened: a link. */
let link: string;
let planPath: string;
let model: string;

beforeAll(async () => {
  scratch = await temporaryFolder();
  const script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
  const trainer = await bundle('test/fixtures/daemon/fakeTrainer.ts', join(scratch.path, 'trainer'), 'trainer');
  const [one, two] = ['one', 'zwei'].map((name) => join(scratch.path, name));
  link = join(scratch.path, 'lien à deux');
  for (const folder of [one!, two!]) await mkdir(join(folder, SUB), { recursive: true });
  await symlink(two!, link);
  planPath = join(link, SUB, 'plan à essayer.prune.json');
  await writeFile(planPath, '{ "model": "net.json", "data": "mnist", "budget": { "keep": "1%" } }');
  model = join(link, SUB, 'net.json');
  await writeTfjsModel(buildArchitecture('lenet300', 3), model);
  daemon = await Daemon.start(script, { env: { FAKE_TRAINER: trainer, FAKE_RATE: '100', FAKE_SECONDS: '2' } });
  client = await daemon.client([one!, link]);
});
afterAll(async () => {
  await daemon?.close();
  await scratch?.remove();
});

const lensesOf = async (path: string) => {
  const params = { textDocument: { uri: pathToFileURL(path).href } };
  const lenses = await client.call<{ command: { command: string; arguments: object[] } }[]>(
    'textDocument/codeLens',
    params,
  );
  return lenses.map(({ command }) => ({ id: command.command, argument: command.arguments[0] }));
};

it('names a run’s folders as they were opened, and its plan relative to them, in the list and live', async () => {
  const { run } = await client.ask('lc/start', { planPath });
  const place = {
    run,
    workspace: link,
    folder: join(link, '.lcprune', 'runs', run),
    planPath: `${SUB}/plan à essayer.prune.json`,
    model: 'lenet300',
    modelPath: null,
  };
  expect(await client.ask('lc/runs', null)).toMatchObject([place]);
  const { params } = await client.waitFor((message) => message.method === 'lc/runChanged');
  expect((params as { summary: RunSummary }).summary).toMatchObject(place);
  // The model is an architecture, so there is no file.
  expect(await client.ask('lc/previewRun', { run, budget: { keep: '2%' } })).toMatchObject({ kappa: 5324, problem: null }); // prettier-ignore
  expect((await client.ask('lc/previewRun', { run, budget: { weights: 1e9 } })).problem).toMatch(/the most is 266200/);
  await client.waitFor((message) => (message.params as { summary?: RunSummary })?.summary?.state === 'done');
  expect((await client.ask('lc/kept', { run }))!.map(({ layer }) => layer)).toContain('fc1');
  const lenses = await lensesOf(planPath);
  expect(lenses).toContainEqual({ id: 'lcPrune.openMonitor', argument: { run: place.folder } });
  expect(lenses).toContainEqual({ id: 'lcPrune.openMonitor', argument: { plan: planPath } });
});

it('calls plans and models in commands and answers what the client calls them', async () => {
  const { planPath: made } = await client.ask('lc/createPlan', { model, data: 'mnist', budget: { keep: '3%' } });
  expect(made).toBe(join(link, SUB, 'net.prune.json'));
  expect((await client.ask('lc/inspect', { model })).path).toBe(model);
  expect((await client.ask('lc/missingPackages', { planPath })).folder).toBe(join(link, '.lcprune', 'packages'));
  const named = (await lensesOf(made)).flatMap(({ argument }) => Object.values(argument!));
  expect(new Set(named)).toEqual(new Set([made]));
  const models = (await lensesOf(model)).map(({ argument }) => (argument as { model: string }).model);
  expect(models.length).toBeGreaterThan(3);
  expect(new Set(models)).toEqual(new Set([model]));
});

it('leaves a run that is gone', async () => {
  expect(await client.ask('lc/subscribe', { run: 'gone', on: false })).toBeNull();
  expect((await client.refused('lc/subscribe', { run: 'gone', on: true })).data).toMatchObject({ code: 'run-missing' });
});

it('takes no run for another of the same name in another folder', async () => {
  const [{ run }] = (await client.ask('lc/runs', null)) as [RunSummary];
  await cp(join(link, '.lcprune'), join(scratch.path, 'one', '.lcprune'), { recursive: true });
  for (const request of [
    () => client.refused('lc/delete', { run }),
    () => client.refused('lc/history', { run, from: 0, limit: 1 }),
  ]) {
    const { data, message } = await request();
    expect(data).toMatchObject({ code: 'run-invalid' });
    expect(message).toContain(join(link, '.lcprune', 'runs', run));
    expect(message).toContain(join(scratch.path, 'one', '.lcprune', 'runs', run));
  }
  const both = await client.ask('lc/runs', null);
  expect(both).toHaveLength(2);
  // By its folder each is named, whichever name of the workspace folder the client uses.
  for (const { folder, workspace } of both) {
    expect((await client.ask('lc/history', { run: folder, from: 0, limit: 1 })).events).toHaveLength(1);
    await client.ask('lc/mark', { run: folder, change: { note: workspace } });
  }
  expect((await client.ask('lc/runs', null)).map(({ workspace, marks }) => [workspace, marks?.note])).toEqual(
    both.map(({ workspace }) => [workspace, workspace]),
  );
  const real = join(scratch.path, 'zwei', '.lcprune', 'runs', run);
  expect((await client.ask('lc/history', { run: real, from: 0, limit: 1 })).events).toHaveLength(1);
  for (const other of ['/etc', join(link, '.lcprune', 'runs', '..', '..', SUB), join(link, SUB), join(scratch.path, 'x', '.lcprune', 'runs', run)])
    expect((await client.refused('lc/history', { run: other, from: 0, limit: 1 })).data).toMatchObject({ code: 'run-missing' }); // prettier-ignore
  // Events arrive under the name by which each client subscribed.
  for (const { folder } of both) await client.ask('lc/subscribe', { run: folder, on: true });
  await client.ask('lc/delete', { run: join(scratch.path, 'one', '.lcprune', 'runs', run) });
  const { params } = await client.waitFor(({ method, params }) => method === 'lc/runChanged' && (params as { summary: unknown }).summary === null); // prettier-ignore
  expect(params).toMatchObject({ run, folder: join(scratch.path, 'one', '.lcprune', 'runs', run) });
  expect(await client.ask('lc/runs', null)).toMatchObject([{ workspace: link }]);
  client.send({
    jsonrpc: '2.0',
    method: 'workspace/didChangeWorkspaceFolders',
    params: { event: { added: [], removed: [{ uri: pathToFileURL(join(scratch.path, 'one')).href, name: 'one' }] } },
  });
  // Asked for right behind the change, the list is already without the folder.
  expect(await client.ask('lc/runs', null)).toMatchObject([{ run, workspace: link }]);
  expect((await client.ask('lc/history', { run, from: 0, limit: 1 })).events).toHaveLength(1);
});
