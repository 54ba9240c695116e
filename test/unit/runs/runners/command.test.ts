/** When a job of a command has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { commandRunner } from '../../../../daemon/runs/runners/command.js';
import { here } from '../../../../daemon/trainer/process/place.js';

it.skipIf(process.platform === 'win32')('a job runs as long as something that its shell started', async () => {
  // A signal to the group ends the shell first; a trainer writes its checkpoint.
  const shell = spawn('sh', ['-c', 'sleep 60 & exit 0'], { detached: true, stdio: 'ignore' });
  await once(shell, 'exit');
  const id = `${shell.pid}@${here().host ?? ''}+1`;
  const state = async () => (await commandRunner.states([id])).get(id)?.state;
  expect(await state()).toBe('running');
  await commandRunner.cancel(id);
  for (let i = 0; i < 200 && (await state()) === 'running'; i++) await wait(25);
  expect(await state()).toBe('ended');
});
