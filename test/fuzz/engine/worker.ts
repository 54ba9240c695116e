/** The child process: computes one network after the other as the parent sends them. A crash here is a result there. */
import { serveTasks } from '../children.js';
import { compareEngines } from './compare.js';
import type { Network } from './networks/network.js';
import { randomNetwork } from './networks/grammar.js';
import type { Verdict } from './verdict.js';

/** A seed, or a given network. */
export type Task = number | Network;

/** Serves tasks of the parent until the parent ends. */
export const serve = (): void =>
  serveTasks<Task, Verdict>((task, stage) => {
    stage('grammar');
    const network = typeof task === 'number' ? randomNetwork(task) : task;
    return compareEngines(network, stage);
  });
