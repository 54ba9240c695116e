/** Run folders are files a user may edit, copy and cut short: nothing in one may crash a reader, or make it wait or allocate. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../daemon/protocol/errors.js';
import { RunEvent } from '../../daemon/protocol/events.js';
import { RunSummary } from '../../daemon/protocol/messages.js';
import { forgetLog } from '../../daemon/runs/eventLog.js';
import { listRuns } from '../../daemon/runs/list/listRuns.js';
import { readEvents } from '../../daemon/runs/list/registry.js';
import { readCheckpoint } from '../../daemon/trainer/checkpoint.js';
import { lockHolder } from '../../daemon/trainer/process/lock.js';
import { PLAN } from '../unit/trainer/fakeRun.js';

let workspace: string;
let folder: string;
beforeAll(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'fuzz-runs-')));
  folder = join(workspace, '.lcprune', 'runs', 'run');
  await mkdir(folder, { recursive: true });
});
afterAll(() => rm(workspace, { recursive: true }));

const runs = { seed: 20, numRuns: 150 };
const good = `${JSON.stringify({ time: 1, event: 'warning', code: 'note', message: 'x' })}\n`;
const line = fc.oneof(
  fc.constant(good),
  fc.json().map((text) => `${text}\n`),
  fc.string().map((text) => `${text}\n`),
  fc.constantFrom(
    '{"event":"batch"\n',
    '{"event":"batch","time":1e999}\n',
    '\n',
    '{"__proto__":{"event":"done"}}\n',
    `${'['.repeat(5000)}\n`,
  ),
);

describe('fuzzing run folders', () => {
  it('any log is read, in any window, to events that fit the protocol', async () => {
    await writeFile(join(folder, 'plan.json'), JSON.stringify(PLAN));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(40),
        fc.integer({ min: 1, max: 40 }),
        async (lines, torn, from, limit) => {
          await writeFile(
            join(folder, 'events.jsonl'),
            Buffer.concat([Buffer.from(lines.join('')), Buffer.from(torn)]),
          );
          // Not a log that grew, but another one.
          forgetLog(folder);
          const all = await readEvents(folder, 0, 1000);
          expect(all.end).toBe(true);
          for (const event of all.events) expect(RunEvent.safeParse(event).success).toBe(true);
          expect(all.events.length).toBeGreaterThanOrEqual(lines.filter((text) => text === good).length);
          const window = await readEvents(folder, from, limit, 2);
          expect(window.next).toBe(Math.max(from, Math.min(from + limit, all.next)));
          const [summary] = await listRuns(workspace);
          expect(RunSummary.safeParse(summary).success).toBe(true);
        },
      ),
      runs,
    );
  });

  it('any plan.json gives a summary, broken ones with the reason', async () => {
    await rm(join(folder, 'events.jsonl'), { force: true });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string(), fc.constant(JSON.stringify(PLAN))), async (text) => {
        await writeFile(join(folder, 'plan.json'), text);
        const [summary] = await listRuns(workspace);
        expect(RunSummary.safeParse(summary).success).toBe(true);
        expect(summary!.state).toBe(text === JSON.stringify(PLAN) ? 'interrupted' : 'failed');
      }),
      runs,
    );
  });

  it('any file is refused as a checkpoint with a UserError, any lock is read', async () => {
    const file = join(folder, 'x');
    const magic = Buffer.from('LCPRUNE1');
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat(0xffffffff), fc.json()).map(([length, text]) => {
        const size = Buffer.alloc(4);
        size.writeUInt32LE(length % 3 === 0 ? Buffer.byteLength(text) : length);
        return Buffer.concat([magic, size, Buffer.from(text), Buffer.alloc(40)]);
      }),
    );
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        await writeFile(file, bytes);
        await expect(readCheckpoint(file)).rejects.toBeInstanceOf(UserError);
        expect(await lockHolder(file)).toBeNull();
      }),
      runs,
    );
  });
});
