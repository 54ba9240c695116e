import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../daemon/cli/command.js';
import { run } from '../../../daemon/cli/commands/run.js';

describe('options', () => {
  it('are taken by name, and refused if one has two values', () => {
    expect(parseCommand(run, ['a.prune.json', '--seed', '3', '--json']).values).toEqual({ seed: '3', json: true });
    // The last one would win, and the baseline in front of it would not run.
    expect(() => parseCommand(run, ['a.prune.json', '--compare', 'magnitude', '--compare=gradual'])).toThrow(
      'lc-prune run: --compare is given more than once; see lc-prune run --help',
    );
  });
});
