import { expect, test } from 'vitest';
import { withPolicy } from '../../../extension/page/staticPage.js';

test('a page that is only shown has the policy before everything that it could load', () => {
  for (const page of [
    '<html><head><title>x</title></head><body></body></html>',
    '<HTML><HEAD lang="en"><link rel="stylesheet" href="https://example.org/x.css"></HEAD></HTML>',
    '<p>no head</p><img src="https://example.org/x.png">',
  ]) {
    const shown = withPolicy(page);
    const policy = shown.indexOf(`default-src 'none'`);
    expect(policy).toBeGreaterThan(0);
    for (const part of ['<title', '<link', '<p', '<img']) {
      const at = shown.indexOf(part);
      if (at >= 0) expect(at).toBeGreaterThan(policy);
    }
  }
});
