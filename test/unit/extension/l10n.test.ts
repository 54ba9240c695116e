import { expect, test } from 'vitest';
import bundle from '../../../l10n/bundle.l10n.json' with { type: 'json' };
import { collectTexts } from '../../host/l10n.mjs';

test('every text people see is in the bundle (node test/host/l10n.mjs)', () => {
  expect(Object.keys(bundle).sort()).toEqual(collectTexts());
  expect(Object.keys(bundle).length).toBeGreaterThan(100);
});

test('placeholders are counted from zero without a gap', () => {
  for (const text of Object.keys(bundle)) {
    const used = Array.from(new Set(Array.from(text.matchAll(/\{(\d+)\}/g), (match) => Number(match[1])))).sort();
    expect(used, text).toEqual(used.map((_, i) => i));
  }
});
