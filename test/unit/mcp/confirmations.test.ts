import { describe, expect, it } from 'vitest';
import { Confirmations } from '../../../daemon/mcp/confirmations.js';

describe('a confirmation', () => {
  it('runs the request once, however often it is given', async () => {
    const confirmations = new Confirmations();
    const token = confirmations.ask('a');
    let times = 0;
    const act = async () => `run ${++times}`;
    expect(await Promise.all([confirmations.once(token, 'a', act), confirmations.once(token, 'a', act)])).toEqual([
      'run 1',
      'run 1',
    ]);
    expect(await confirmations.once(token, 'a', act)).toBe('run 1');
    expect(await confirmations.once(confirmations.ask('a'), 'a', act)).toBe('run 2');
  });

  it('does nothing else, and nothing without a token of its own', () => {
    const confirmations = new Confirmations();
    const token = confirmations.ask('a');
    const act = () => Promise.reject(new Error('was done'));
    expect(() => confirmations.once(token, 'b', act)).toThrow(/have changed/);
    expect(() => confirmations.once('guess', 'a', act)).toThrow(/not given by this server/);
    expect(() => new Confirmations().once(token, 'a', act)).toThrow(/not given by this server/);
  });

  it('may be given again after the request has failed', async () => {
    const confirmations = new Confirmations();
    const token = confirmations.ask('a');
    await expect(confirmations.once(token, 'a', () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    expect(await confirmations.once(token, 'a', async () => 'run')).toBe('run');
  });
});
