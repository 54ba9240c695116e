/** Writes `prune.schema.json` from the plan's types: the editor's completion, hover and validation come from there. */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Plan } from '../daemon/protocol/plan.js';

const schema = z.toJSONSchema(Plan, { target: 'draft-7', io: 'input' });
const described = { ...schema, title: 'LC Prune plan', description: 'What to prune, on which data, to which budget.' };
writeFileSync(new URL('../schemas/prune.schema.json', import.meta.url), `${JSON.stringify(described, null, 2)}\n`);
