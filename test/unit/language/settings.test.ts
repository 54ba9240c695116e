import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { explainSetting } from '../../../daemon/language/settings.js';
import { keysAt } from '../../../daemon/plan/schemaKeys.js';
import { Plan } from '../../../daemon/protocol/plan.js';

/** Every path of the plan's schema down to `depth`. */
function paths(path: readonly (string | number)[], depth: number): (string | number)[][] {
  if (depth === 0) return [];
  return keysAt(Plan, path).flatMap((key) => [[...path, key], ...paths([...path, key], depth - 1)]);
}

describe('explainSetting', () => {
  it('knows every key of a plan that a person is likely to set', () => {
    const unexplained = paths([], 2)
      .filter(([first]) => first !== 'data' && first !== '$schema')
      .filter(
        (path) => path.join('.') !== 'model.architecture' && !/^(retrain|reference)\.epochs$/.test(path.join('.')),
      )
      .filter((path) => explainSetting(path) === null);
    expect(unexplained).toEqual([]);
  });

  it('gives the formula', () => {
    expect(explainSetting(['schedule', 'mu0'])).toContain('mu_j = mu0 * a^j');
    expect(explainSetting(['budget', 'keep'])).toContain('kappa = ceil(share * N)');
    expect(explainSetting(['tasks', 0, 'budget', 'alpha'])).toBe(explainSetting(['budget', 'alpha']));
    expect(explainSetting(['retrain', 'momentum'])).toBe(explainSetting(['training', 'momentum']));
    expect(explainSetting(['budget', 'layers', 'conv1', 'floor'])).toContain('floor * n_l');
  });

  it('has no text for keys that are not settings', () => {
    for (const path of [['toString'], ['__proto__'], ['budget', 'constructor'], []])
      expect(explainSetting(path)).toBeNull();
    // No key in the schema has the name of a wildcard.
    expect(z.toJSONSchema(Plan).properties).not.toHaveProperty('*');
  });
});
