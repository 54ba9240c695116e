import { expect, test } from 'vitest';
import { parseComputeApps } from '../../../daemon/server/jobs/deviceMemory.js';

test('memory of a process is summed over its GPUs; what is no number is passed over', () => {
  const text = '4711, 1024\n4712, [N/A]\n4711, 512\n\nNo running processes found\n';
  expect([...parseComputeApps(text)]).toEqual([[4711, 1536 * 2 ** 20]]);
  expect(parseComputeApps('').size).toBe(0);
});
