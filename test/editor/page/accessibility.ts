import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { MonitorPage } from './openPage.js';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Serious and critical findings of axe-core, in words. */
export async function findings({ page }: Pick<MonitorPage, 'page'>): Promise<string[]> {
  // The page's CSP forbids foreign scripts; the debugger's evaluation is not one.
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations
      .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
      .map(
        (violation) =>
          `${violation.id}: ${violation.nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n  ')}`,
      );
  });
}
