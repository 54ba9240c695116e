import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { planSchema, sweepSchema } from '../../../schemas/planSchema.js';

it('the published schemas are those of the code (npm run schemas)', () => {
  expect(readFileSync('schemas/prune.schema.json', 'utf8')).toBe(planSchema());
  expect(readFileSync('schemas/sweep.schema.json', 'utf8')).toBe(sweepSchema());
});

it('describes every budget key and refuses unknown ones', () => {
  const schema = JSON.parse(planSchema()) as {
    additionalProperties: boolean;
    properties: { budget: { additionalProperties: boolean; properties: Record<string, { description?: string }> } };
  };
  expect(schema.additionalProperties).toBe(false);
  expect(schema.properties.budget.additionalProperties).toBe(false);
  for (const key of Object.values(schema.properties.budget.properties)) expect(key.description).toBeTruthy();
});
