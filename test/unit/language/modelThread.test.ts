/** The thread of large models, with a script that answers, fails and ends when it is asked to. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelThread } from '../../../daemon/language/modelThread.js';
import { UserError } from '../../../daemon/protocol/errors.js';

const SCRIPT = `
import { parentPort, threadId } from 'node:worker_threads';
parentPort.on('message', ({ id, job, params }) => {
  if (job === 'end') process.exit(3);
  if (job === 'refuse') parentPort.postMessage({ id, error: { message: 'no', user: { code: 'model-invalid', details: { field: params } } } });
  else if (job === 'fail') parentPort.postMessage({ id, error: { message: 'broken' } });
  else parentPort.postMessage({ id, result: { params, threadId } });
});`;

let folder: string;
let script: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-test-')));
  script = join(folder, 'thread.mjs');
  await writeFile(script, SCRIPT);
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

interface Echo {
  readonly params: unknown;
  readonly threadId: number;
}

it('answers each question with its own answer, from one thread', async () => {
  const thread = new ModelThread(script, 10_000);
  const answers = await Promise.all([1, 2, 3].map((params) => thread.ask<Echo>('echo', params)));
  expect(answers.map(({ params }) => params)).toEqual([1, 2, 3]);
  expect(new Set(answers.map(({ threadId }) => threadId)).size).toBe(1);
});

it("keeps the user's errors apart from faults", async () => {
  const thread = new ModelThread(script, 10_000);
  const refused = await thread.ask('refuse', 'budget').catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UserError);
  expect(refused).toMatchObject({ code: 'model-invalid', message: 'no', details: { field: 'budget' } });
  const failed = await thread.ask('fail', null).catch((error: unknown) => error);
  expect(failed).not.toBeInstanceOf(UserError);
  expect(failed).toMatchObject({ message: 'broken' });
});

it('rejects what waits when the thread ends, and starts a new one for the next question', async () => {
  const thread = new ModelThread(script, 10_000);
  const first = await thread.ask<Echo>('echo', 1);
  const ended = thread.ask('end', null);
  const waiting = thread.ask('echo', 2);
  await expect(ended).rejects.toThrow('ended early');
  await expect(waiting).rejects.toThrow('ended early');
  expect((await thread.ask<Echo>('echo', 3)).threadId).not.toBe(first.threadId);
});

it('ends the thread some time after the last answer, with what it holds', async () => {
  const thread = new ModelThread(script, 50);
  const first = await thread.ask<Echo>('echo', 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await thread.ask<Echo>('echo', 2)).threadId).not.toBe(first.threadId);
});
