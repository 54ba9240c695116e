import { expect, test } from 'vitest';
import { startTiming } from '../../../daemon/trainer/log/timing.js';

test('the parts of a start add up to the whole', () => {
  const times = [200, 450, 1250];
  const timing = startTiming(() => times.shift()!);
  timing.mark('model');
  timing.mark('engine');
  expect(timing.text()).toBe('1.25 s (loading 0.20, model 0.25, engine 0.80)');
});
