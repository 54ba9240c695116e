/** Training steps of our engines beside PyTorch's settings on the same network, weights and batch: in turns, each alone. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Contender, type Command, type ContenderSpec, type Task } from './contender.js';

const stepsOfTurn = 4;
const checkedSteps = 4;

interface Answer {
  readonly losses: readonly number[];
  /** Time of each step, and processor time of all threads, which other programs on the machine change least. */
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  /** The most that the process has had, in MB. */
  readonly memory: number;
}

/** What a contender did. Rates are samples a second. */
export interface Standing {
  readonly name: string;
  readonly ours: boolean;
  /** Of the best step of all turns, of the best step of the median turn, and of processor time. */
  readonly best: number;
  readonly median: number;
  readonly ofProcessorTime: number;
  /** Peak of the process, in MB. */
  readonly memory: number;
}

/** One of our engines beside the best of the peers. */
export interface Comparison {
  readonly own: Standing;
  readonly peer: Standing;
  /** Ratios of the best turns, the median of the ratios of all rounds, and the ratio of the best processor times. */
  readonly ratio: number;
  readonly medianRatio: number;
  readonly processorRatio: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/**
 * Runs all contenders in turns and prints what each did.
 * Sets the exit code if one has other losses than the first in the first steps: by more than `lossTolerance`, relative.
 * @param flops multiplications and additions of products in one step, if they are known.
 */
export async function compareInTurns(
  task: Task & { readonly flops?: number },
  specs: { readonly ours: readonly ContenderSpec[]; readonly peers: readonly ContenderSpec[] },
  { rounds, lossTolerance }: { readonly rounds: number; readonly lossTolerance: number },
): Promise<Comparison[]> {
  const all: { contender: Contender; memory: number; ours: boolean }[] = [];
  let reference: readonly number[] | undefined;
  for (const [i, spec] of [...specs.ours, ...specs.peers].entries()) {
    const contender = await Contender.start(spec, task);
    const { losses, memory } = await contender.ask<Answer>({ cmd: 'losses', steps: checkedSteps });
    reference ??= losses;
    const worst = Math.max(...losses.map((loss, k) => Math.abs(loss - reference![k]!) / reference![k]!));
    if (!(worst < lossTolerance)) {
      console.log(`  ${spec.name}: OTHER LOSSES, by ${worst.toExponential(1)}: ${losses.join(' ')}`);
      process.exitCode = 1;
    }
    all.push({ contender, memory, ours: i < specs.ours.length });
  }
  console.log(`  losses of the first steps: ${reference!.map((loss) => loss.toFixed(5)).join(' ')}`);
  // The least time of a step in each turn: what else runs on the machine only adds to it.
  for (let round = 0; round < rounds; round++)
    for (const entry of all) {
      const { contender } = entry;
      const { seconds, cpuSeconds, memory } = await contender.ask<Answer>({ cmd: 'time', steps: stepsOfTurn });
      entry.memory = memory;
      contender.rates.push(task.batch / Math.min(...seconds));
      contender.cpuRates.push(task.batch / Math.min(...cpuSeconds));
    }
  const standings = all.map(({ contender, memory, ours }): Standing => ({
    name: contender.name,
    ours,
    best: Math.max(...contender.rates),
    median: median(contender.rates),
    ofProcessorTime: Math.max(...contender.cpuRates),
    memory,
  }));
  const peers = standings.map((standing, i) => ({ standing, rates: all[i]!.contender.rates })).filter(({ standing }) => !standing.ours); // prettier-ignore
  const [peer] = peers.sort((a, b) => b.standing.best - a.standing.best);
  const bestOfProcessorTime = Math.max(...peers.map(({ standing }) => standing.ofProcessorTime));
  const comparisons: Comparison[] = [];
  standings.forEach((own, i) => {
    const parts = [
      `${own.best.toFixed(2)} samples/s in the best turn, ${own.median.toFixed(2)} in the median one`,
      `${own.ofProcessorTime.toFixed(2)} a second of processor time`,
      ...(task.flops === undefined ? [] : [`${((own.best * task.flops) / task.batch / 1e9).toFixed(0)} GFLOP/s`]),
      `${own.memory.toFixed(0)} MB at most`,
    ];
    if (peer && own.ours) {
      const compared: Comparison = {
        own,
        peer: peer.standing,
        ratio: own.best / peer.standing.best,
        medianRatio: median(all[i]!.contender.rates.map((rate, k) => rate / peer.rates[k]!)),
        processorRatio: own.ofProcessorTime / bestOfProcessorTime,
      };
      comparisons.push(compared);
      parts.push(
        `${compared.ratio.toFixed(2)}x PyTorch's best setting (median of rounds ${compared.medianRatio.toFixed(2)}x; of processor time ${compared.processorRatio.toFixed(2)}x)`,
      );
    }
    console.log(`  ${own.name}: ${parts.join('; ')}`);
    all[i]!.contender.end();
  });
  return comparisons;
}

/**
 * Our side: serves commands until stdin ends. The first line is the problem.
 * @param open gives a function that does one step and returns the loss before it.
 */
export async function serveSteps<P>(name: string, open: (problem: P) => Promise<() => Promise<number>>): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const step = await open(JSON.parse((await lines.next()).value as string) as P);
  const answer = (value: object) => writeSync(1, `${JSON.stringify(value)}\n`);
  answer({ about: `${name}, Node ${process.version}` });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    const command = JSON.parse(line) as Command;
    const steps = 'steps' in command ? command.steps : 0;
    const losses: number[] = [];
    const [seconds, cpuSeconds]: [number[], number[]] = [[], []];
    for (let i = 0; i < steps; i++) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      losses.push(await step());
      seconds.push((performance.now() - start) / 1000);
      const { user, system } = process.cpuUsage(before);
      cpuSeconds.push((user + system) / 1e6);
    }
    answer({ losses, seconds, cpuSeconds, memory: process.resourceUsage().maxRSS / 1024 } satisfies Answer);
  }
}
