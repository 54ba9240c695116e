/** Which runner has a run when its plan names one and somebody names another. */
import { describe, expect, it } from 'vitest';
import { runnerOption } from '../../../daemon/cli/runnerOption.js';
import { placeOf, type Remote } from '../../../daemon/protocol/runs/runOn.js';

const QUEUE: Remote = { slurm: { partition: 'short' } };
const BOX: Remote = { command: 'ssh box {cmd}' };

describe('the place of a run', () => {
  it.each([
    [undefined, QUEUE, QUEUE],
    [undefined, undefined, undefined],
    ['local', QUEUE, undefined],
    // The plan's settings stay.
    ['slurm', QUEUE, QUEUE],
    ['slurm', BOX, { slurm: {} }],
    ['slurm', undefined, { slurm: {} }],
    [BOX, QUEUE, BOX],
  ] as const)('named %j, planned %j', (named, planned, expected) => {
    expect(placeOf(named, planned)).toEqual(expected);
  });
});

describe('--on', () => {
  it.each([
    ['local', undefined],
    ['slurm', QUEUE],
    ['{"slurm":{"partition":"long"}}', { slurm: { partition: 'long' } }],
    ['"local"', undefined],
    // JSON begins so too, and this is a command.
    ['{cmd} > log.txt', { command: '{cmd} > log.txt' }],
    ['ssh box {cmd}', BOX],
  ])('%s', (on, expected) => {
    expect(runnerOption({ on }, QUEUE)).toEqual(expected);
  });

  it('names no other place', () => {
    expect(() => runnerOption({ on: 'box' }, QUEUE)).toThrow('is none of local, slurm, command');
    expect(() => runnerOption({ on: '{"slurm":{"nodes":2}}' }, QUEUE)).toThrow('no command line with {cmd} in it');
    expect(() => runnerOption({ on: 'command' }, QUEUE)).toThrow('the plan has no command');
    expect(runnerOption({ on: 'command' }, BOX)).toEqual(BOX);
  });
});
