import { describe, expect, it } from 'vitest';
import { StepScheduler } from '../../../../daemon/engine/compiled/stepScheduler.js';

const wait = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

function executor(ms: number) {
  const ran = { blocking: 0, apart: 0 };
  return {
    ran,
    runNow() {
      ran.blocking++;
      wait(ms);
    },
    async run() {
      ran.apart++;
      wait(ms);
    },
    release: async () => {},
  };
}

describe('the step scheduler', () => {
  it('runs short steps blocking, and lets messages in between them', async () => {
    const graph = executor(0.5);
    const scheduler = new StepScheduler();
    let messages = 0;
    const timer = setInterval(() => messages++, 1);
    for (let i = 0; i < 200; i++) await scheduler.run(graph, true);
    clearInterval(timer);
    expect(graph.ran.blocking).toBeGreaterThan(100);
    expect(messages).toBeGreaterThanOrEqual(2);
  });

  it('runs steps that may not block, and long ones, asynchronously', async () => {
    const short = executor(0);
    const scheduler = new StepScheduler();
    for (let i = 0; i < 5; i++) await scheduler.run(short, false);
    expect(short.ran).toEqual({ blocking: 0, apart: 5 });
    const long = executor(20);
    for (let i = 0; i < 5; i++) await scheduler.run(long, true);
    expect(long.ran.blocking).toBeLessThanOrEqual(1);
  });
});
