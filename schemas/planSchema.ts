import { z } from 'zod';
import { Plan } from '../daemon/protocol/plan.js';

/** The JSON Schema of a plan file, as text: the editor's completion, hover and validation come from it. */
export function planSchema(): string {
  const schema = z.toJSONSchema(Plan, { target: 'draft-7', io: 'input' });
  const described = {
    ...schema,
    title: 'LC Prune plan',
    description: 'What to prune, on which data, to which budget.',
    allowComments: true,
    allowTrailingCommas: true,
  };
  return `${JSON.stringify(described, null, 2)}\n`;
}
