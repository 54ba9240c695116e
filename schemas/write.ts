/** Writes `prune.schema.json` and `sweep.schema.json`: `npm run schemas` after any change of the plan's types. A unit test fails while it is stale. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../daemon/files/packageRoot.js';
import { planSchema, sweepSchema } from './planSchema.js';

writeFileSync(join(packageRoot(), 'schemas', 'prune.schema.json'), planSchema());
writeFileSync(join(packageRoot(), 'schemas', 'sweep.schema.json'), sweepSchema());
