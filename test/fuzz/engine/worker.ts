/** The child process: computes one network after the other as the parent sends them. A crash here is a result there. */
import { compareEngines } from './compare.js';
import type { Network } from './networks/network.js';
import { randomNetwork } from './networks/grammar.js';
import type { Verdict } from './verdict.js';

/** A seed, or a given network. */
export type Task = number | Network;
export type Report = { readonly stage: string } | { readonly verdict: Verdict };

/** Serves tasks of the parent until the parent ends. */
export function serve(): void {
  const send = (report: Report) => process.send!(report);
  process.on('disconnect', () => process.exit());
  // Nobody reads what a child prints.
  process.on('uncaughtException', (error) => {
    send({ stage: `uncaught ${error.message.slice(0, 200)}` });
    process.exit(1);
  });
  process.on('message', (task: Task) => {
    void (async () => {
      send({ stage: 'grammar' });
      const network = typeof task === 'number' ? randomNetwork(task) : task;
      send({ verdict: await compareEngines(network, (stage) => send({ stage })) });
    })();
  });
}
