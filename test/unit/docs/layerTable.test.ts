import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { layerTable } from './layerTable.js';

it('docs/models.md has the table of the registry (vitest -u writes it)', async () => {
  const page = readFileSync('docs/models.md', 'utf8');
  const [before, rest] = page.split('<!-- classes -->\n');
  const after = rest?.split('<!-- end of classes -->')[1];
  expect(after).toBeDefined();
  const wanted = `${before}<!-- classes -->\n\n${layerTable()}\n\n<!-- end of classes -->${after}`;
  await expect(wanted).toMatchFileSnapshot('../../../docs/models.md');
});
