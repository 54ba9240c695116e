import { describe, expect, it } from 'vitest';
import { Turns } from '../../../../daemon/engine/compiled/turns.js';

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

describe('turns', () => {
  it('run short steps blocking, and let messages in between them', async () => {
    const graph = executor(0.5);
    const turns = new Turns();
    let messages = 0;
    const timer = setInterval(() => messages++, 1);
    for (let i = 0; i < 200; i++) await turns.run(graph, true);
    clearInterval(timer);
    expect(graph.ran.blocking).toBeGreaterThan(100);
    expect(messages).toBeGreaterThanOrEqual(2);
  });

  it('run apart what may not block, and what takes long', async () => {
    const short = executor(0);
    const turns = new Turns();
    for (let i = 0; i < 5; i++) await turns.run(short, false);
    expect(short.ran).toEqual({ blocking: 0, apart: 5 });
    const long = executor(20);
    for (let i = 0; i < 5; i++) await turns.run(long, true);
    expect(long.ran.blocking).toBeLessThanOrEqual(1);
  });
});
