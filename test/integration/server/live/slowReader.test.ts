/** A client that does not read: its batches are halved, then it is disconnected, and the others see no delay. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BatchColumns } from '../../../../daemon/protocol/messages.js';
import { bigModel } from '../../../fixtures/bigModel.js';
import type { Client } from '../harness.js';
import { batchesOf, buildInventedRuns, eventsOf, untilState, type InventedRuns } from './inventedRuns.js';

let invented: InventedRuns;
beforeAll(async () => {
  invented = await buildInventedRuns();
});
beforeEach(() => invented.openWorkspace());
afterEach(() => invented.closeDaemon());
afterAll(() => invented.remove());

describe('a client that does not read', () => {
  /** Makes the daemon read a model whose CodeLens answer has about 1.5 MB and is cheap to repeat. */
  async function prepareLongAnswers(client: Client): Promise<{ textDocument: { uri: string } }> {
    const model = join(invented.workspace, 'model.json');
    await writeFile(model, bigModel(2000));
    const params = { textDocument: { uri: pathToFileURL(model).href } };
    while ((await client.call<unknown[]>('textDocument/codeLens', params)).length < 2) await wait(50);
    return params;
  }

  /** Requests `count` long answers, from the id `first` on, and reads none of them. */
  function stopReading(client: Client, params: object, first: number, count: number): void {
    client.socket.pause();
    for (let i = 0; i < count; i++)
      client.send({ jsonrpc: '2.0', id: first + i, method: 'textDocument/codeLens', params });
  }

  it('gets thinned batches and every other event when it reads again; the log has all, others see no delay', async () => {
    const fast = await invented.start({ FAKE_RATE: '4000', FAKE_SECONDS: '5' });
    const slow = await invented.daemon.client([invented.workspace]);
    const long = await prepareLongAnswers(slow);
    const { run } = await fast.ask('lc/start', { planPath: invented.planPath });
    await Promise.all([fast, slow].map((client) => client.ask('lc/subscribe', { run, on: true })));
    // The kernel's buffers fill with answers nobody reads, until the daemon has to hold back.
    stopReading(slow, long, 5000, 15);
    await untilState(fast, run, 'done');
    slow.socket.resume();
    await untilState(slow, run, 'done');
    const all = batchesOf(fast, run).flatMap(({ step }) => step);
    await slow.waitFor(
      (message) => message.method === 'lc/batches' && (message.params as BatchColumns).step.includes(all.at(-1)!),
    );
    const thinned = batchesOf(slow, run).flatMap(({ step }) => step);
    expect(thinned.length).toBeLessThan(all.length);
    expect(thinned).toEqual([...thinned].sort((a, b) => a - b));
    expect(eventsOf(slow, run)).toEqual(eventsOf(fast, run));
    const logged = (await invented.loggedEvents(run)).filter(({ event }) => event === 'batch');
    expect(logged).toHaveLength(20_000);
    for (let i = 0; i < 15; i++) await slow.waitFor(({ id, result }) => id === 5000 + i && Array.isArray(result));
  });

  it('is disconnected when too much data waits for it, and the daemon goes on', async () => {
    const client = await invented.start();
    const stuck = await invented.daemon.client([invented.workspace]);
    const closed = once(stuck.socket, 'close');
    stopReading(stuck, await prepareLongAnswers(stuck), 100, 100);
    for (let i = 0; i < 400 && !invented.daemon.stderr.includes('does not read'); i++) await wait(50);
    expect(invented.daemon.stderr).toContain('does not read');
    stuck.socket.resume();
    await closed;
    expect(await client.ask('lc/runs', null)).toEqual([]);
  });
});
