/** Whether the holder of a lock lives: by process, by start time, and by the age of the lock if the process cannot be checked. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { holderText, lockOwner, takeLock } from '../../../daemon/trainer/process/lock.js';
import { here } from '../../../daemon/trainer/process/place.js';

vi.mock(import('../../../daemon/trainer/limits.js'), async (original) => {
  const { LIMITS } = await original();
  return { LIMITS: { ...LIMITS, watchTime: 400, watchInterval: 20 } as unknown as typeof LIMITS };
});

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  lock = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

const write = (holder: object, secondsAgo = 0) =>
  writeFile(lock, JSON.stringify(holder)).then(() => {
    const time = new Date(Date.now() - secondsAgo * 1000);
    return utimes(lock, time, time);
  });

describe('a lock whose holder is gone', () => {
  it('is taken over by one of many who come at once', async () => {
    for (let round = 0; round < 30; round++) {
      await write({ pid: 2 ** 22 + 1, started: '1' });
      const taken = await Promise.allSettled(Array.from({ length: 12 }, () => takeLock(lock)));
      const won = taken.filter((one) => one.status === 'fulfilled');
      expect(won, `round ${round}`).toHaveLength(1);
      expect(await lockOwner(lock)).toMatchObject({ pid: process.pid });
      await won[0]!.value();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('is taken over where it is no lock at all, and by nobody while another takes it', async () => {
    await writeFile(lock, '{"pid":');
    const release = await takeLock(lock);
    await expect(takeLock(lock)).rejects.toMatchObject({ code: 'run-invalid' });
    await release();
  });
});

describe('the holder of a lock', () => {
  it('is named with its program, and its machine where that is another', async () => {
    const release = await takeLock(lock, 'lc-prune');
    const owner = (await lockOwner(lock))!;
    expect(owner).toMatchObject({ pid: process.pid, host: hostname(), program: 'lc-prune' });
    expect(holderText(owner)).toBe(`process ${process.pid} (lc-prune in a terminal)`);
    expect(holderText({ ...owner, host: 'elsewhere', program: 'editor' })).toBe(
      `process ${process.pid} (an editor window) on elsewhere`,
    );
    await release();
  });

  it('of another machine or container lives as long as it gives signs of life', async () => {
    const other = { pid: 2 ** 22 + 1, started: '1', host: 'elsewhere', program: 'lc-prune' };
    await write(other, 30);
    expect(await lockOwner(lock)).toEqual(other);
    await expect(takeLock(lock)).rejects.toMatchObject({ message: expect.stringContaining('on elsewhere') });
    // What a message would repeat to a terminal.
    await write({ ...other, host: '\u001b[2Jelsewhere' }, 30);
    expect(await lockOwner(lock)).toBeNull();
    await write(other, 90);
    expect(await lockOwner(lock)).toBeNull();
  });

  it('in another namespace of process ids lives as long as it gives signs of life, though its id means another process here', async () => {
    const other = { pid: process.pid, started: '1', ...here(), ids: 'pid:[1]', program: 'lc-prune' } as const;
    await write(other, 30);
    expect(await lockOwner(lock)).toEqual(other);
    await expect(takeLock(lock)).rejects.toMatchObject({
      message: expect.stringContaining(`in another container of ${hostname()} is working on this run`),
    });
    await write({ ...other, boot: 'b-1' }, 30);
    await expect(takeLock(lock)).rejects.toMatchObject({
      message: expect.stringContaining('or before it was restarted'),
    });
    await write(other, 90);
    expect(await lockOwner(lock)).toBeNull();
  });

  it('whose start time is unknown is not taken for the process that has its id now', async () => {
    await write({ pid: process.pid, started: null }, 30);
    expect(await lockOwner(lock)).not.toBeNull();
    await write({ pid: process.pid, started: null }, 90);
    expect(await lockOwner(lock)).toBeNull();
  });

  it('from before the machine was started is gone; a silent process of this machine is not', async () => {
    const release = await takeLock(lock);
    const long = Math.min(600, uptime() - 1);
    const quiet = new Date(Date.now() - long * 1000);
    await utimes(lock, quiet, quiet);
    expect(await lockOwner(lock)).not.toBeNull();
    const before = new Date(Date.now() - (uptime() + 120) * 1000);
    await utimes(lock, before, before);
    expect(await lockOwner(lock)).toBeNull();
    await release();
  });

  it.runIf(process.platform === 'linux')('that has ended is gone even before its parent has buried it', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
      const pid = Number(line);
      await write({ pid, started: null });
      expect(await lockOwner(lock)).toMatchObject({ pid });
      await wait(600);
      // Its id is still taken.
      expect(() => process.kill(pid, 0)).not.toThrow();
      expect(await lockOwner(lock)).toBeNull();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('touches the lock every few seconds, until it gives it back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const release = await takeLock(lock);
      const long = new Date(Date.now() - 50_000);
      await utimes(lock, long, long);
      vi.advanceTimersByTime(5_000);
      await vi.waitFor(async () => expect(Date.now() - (await stat(lock)).mtimeMs).toBeLessThan(5_000));
      await release();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the silent lock of a holder elsewhere', () => {
  const other = { pid: 7, started: '1', host: 'elsewhere', program: 'lc-prune' } as const;

  it('is watched, and taken over with its name', async () => {
    await write(other, 90);
    const takenOver = vi.fn();
    const began = performance.now();
    const release = await takeLock(lock, null, { takenOver });
    expect(performance.now() - began).toBeGreaterThan(350);
    expect(takenOver.mock.calls).toEqual([[other]]);
    await release();
  });

  it('is left to a holder whose clock is behind, but which still touches it', async () => {
    await write(other, 90);
    const beat = new Date(Date.now() - 85_000);
    setTimeout(() => void utimes(lock, beat, beat), 100);
    await expect(takeLock(lock)).rejects.toMatchObject({ message: expect.stringContaining('on elsewhere') });
    expect(JSON.parse(await readFile(lock, 'utf8'))).toEqual(other);
  });
});

describe('a holder that looks for its lock again', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('makes it again where somebody has removed it', async () => {
    const release = await takeLock(lock);
    await rm(lock);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(async () => expect(await lockOwner(lock)).toMatchObject({ pid: process.pid }));
    await release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('learns once that it is the lock of another, and leaves it alone', async () => {
    const lost = vi.fn();
    const release = await takeLock(lock, null, { lost });
    const other = { pid: 7, started: '1', host: 'elsewhere' };
    await write(other);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce());
    expect(vi.getTimerCount()).toBe(0);
    await release();
    expect(JSON.parse(await readFile(lock, 'utf8'))).toEqual(other);
  });
});
