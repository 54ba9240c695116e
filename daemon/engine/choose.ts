/** Chooses the engine for `auto`, and checks a named one: each is tried on the user's own model and data. */
import { UserError } from '../protocol/errors.js';
import type { Model } from '../model/model.js';
import { compare, type Verdict } from './agreement.js';
import { Bench, type Facing, type NoReference } from './bench.js';
import type { EngineProbe, EngineProvider, EngineSession, Purpose, SessionSpec } from './engine.js';
import { madeUpBatch, trialRates, type Batch } from './trial.js';
import { trialSpec } from './trialSize.js';

/** An engine that was considered: chosen, or skipped and why. */
export interface Considered extends EngineProbe {
  readonly chosen: boolean;
  /** Training steps (or predictions) per second on made-up data for the user's own model; absent if it was not timed. */
  readonly samplesPerSecond?: number;
  /** A problem of the chosen engine ('differs': only for a named one), or why no comparison was possible ('unknown'). */
  readonly doubt?: Verdict;
}

export interface ChooseOptions {
  /** Called with every engine considered, in order. */
  report?(considered: Considered): void;
  /**
   * Returns the first batch of the user's data, of `size` samples, which an engine must compute correctly too. It is called once for every engine
   * about to be chosen. Without it made-up data decides, and a named engine is not compared.
   */
  firstBatch?(session: EngineSession, size: number): Promise<Omit<Batch, 'size'>>;
  /** Devices, as in EngineInfo, on which the named engine has been compared before: it is not compared there again. */
  readonly comparedOn?: readonly string[];
}

const onMadeUp = 'on made-up data';
const onFirst = 'on the first batch of the data';

/** An error of the data's reader, which is not a fault of the engine on trial. */
class DataFailure extends Error {}

/** An error of `firstBatch` caused by the engine itself: its predictions may decide how the data is read. */
async function readFirst({ firstBatch }: ChooseOptions, session: EngineSession, size: number): Promise<Batch | null> {
  try {
    return firstBatch ? { ...(await firstBatch(session, size)), size } : null;
  } catch (error) {
    if (error instanceof UserError && error.code === 'engine-failed') throw error;
    throw new DataFailure('', { cause: error });
  }
}

/** The rates of an engine on trial and of the reference it must beat. */
async function rates(
  session: EngineSession,
  facing: Facing,
  batch: Batch,
  purpose: Purpose,
): Promise<[number, number]> {
  const [better, other] = await trialRates([session, facing.session], batch, purpose, facing.rate);
  facing.rate = other;
  return [better, other];
}

/**
 * Tries the engines in order and takes the first that is available, opens the model, computes the reference's numbers on made-up data and on the
 * user's first batch, and is faster than the compiled graph on the CPU. If none is, it takes the latter; if that has no rule for a layer, the first
 * TensorFlow.js engine.
 * Trials use smaller batches if the model is large, see `trialBatch`. If it is too large to be opened twice, the reference is taken without a trial.
 * @param providers in the order of `auto`.
 * @throws the error of the last engine that was tried, if none opens; the error of `options.firstBatch`.
 */
export async function chooseEngine(
  providers: readonly EngineProvider[],
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions = {},
): Promise<{ session: EngineSession; considered: readonly Considered[] }> {
  const bench = new Bench(providers, model, spec);
  const considered: Considered[] = [];
  let failure: unknown = new UserError('engine-unavailable', 'no engine can run here');
  try {
    for (const provider of providers) {
      const probe = await provider.probe();
      const consider = (session: EngineSession | null, more: Partial<Considered>) => {
        const entry = { ...probe, ...session?.info, ...more, chosen: session !== null };
        considered.push(entry);
        options.report?.(entry);
      };
      if (!probe.available) {
        bench.refuse(provider, new Error(probe.reason));
        consider(null, {});
        continue;
      }
      try {
        const beaten = considered.some(({ available }) => available);
        const result = await tryProvider(provider, bench, model, spec, options);
        if (result.session && bench.isReference(provider) && beaten) result.reason = 'the fastest that works here';
        const { session = null, ...more } = result;
        consider(session, more);
        if (session) return { session, considered };
      } catch (error) {
        if (error instanceof DataFailure) throw error.cause;
        failure = error;
        bench.refuse(provider, error);
        consider(null, { reason: (error as Error).message });
      }
    }
    throw failure;
  } finally {
    await bench.close();
  }
}

/** The result of an engine's trial: its session for whole batches if it is chosen, and the report. */
type Tried = { session?: EngineSession; reason?: string } & Pick<Considered, 'samplesPerSecond' | 'doubt'>;

async function tryProvider(
  provider: EngineProvider,
  bench: Bench,
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions,
): Promise<Tried> {
  const refusal = bench.refusal(provider);
  if (refusal !== undefined) throw refusal;
  if (bench.isReference(provider)) {
    const { session, rate } = await bench.take(provider);
    return { session, ...(rate !== undefined && { samplesPerSecond: rate }) };
  }
  const facing = await bench.facing(provider);
  if ('reason' in facing) {
    if (facing.tooLarge) return { reason: facing.reason };
    return { session: await provider.open(model, spec), doubt: unchecked(facing) };
  }
  const { size } = facing;
  const session = await provider.open(model, trialSpec(spec, size));
  let open: EngineSession | undefined = session;
  try {
    const { purpose = 'training' } = spec;
    const madeUp = madeUpBatch(session, size);
    const first = await judge(provider, session, facing, madeUp, purpose, onMadeUp);
    if (first.outcome === 'differs') return { reason: first.reason };
    let timed = {};
    if (facing.provider.reference === 'first') {
      const [own, reference] = await rates(session, facing, madeUp, purpose);
      timed = { samplesPerSecond: own };
      if (own <= reference) {
        const figures = `${Math.round(own)} samples/s, ${Math.round(reference)} on the CPU`;
        return { reason: `slower than the compiled graph on the CPU: ${figures}`, ...timed };
      }
    }
    const real = await readFirst(options, session, size);
    const second = real && (await judge(provider, session, facing, real, purpose, onFirst));
    if (second?.outcome === 'differs') return { reason: second.reason, ...timed };
    const doubt = [first, second].find((verdict) => verdict?.outcome === 'unknown');
    const found = { ...timed, ...(doubt && { doubt }) };
    await bench.close();
    if (size === spec.batchSize) {
      open = undefined;
      return { session, ...found };
    }
    // It was tried on smaller batches, and is opened again, alone.
    await open.dispose();
    open = undefined;
    return { session: await provider.open(model, spec), ...found };
  } finally {
    await open?.dispose();
  }
}

const unchecked = ({ reason }: NoReference): Verdict => ({
  outcome: 'unknown',
  reason: `nothing could be compared: ${reason}`,
});

const judge = (
  provider: EngineProvider,
  session: EngineSession,
  { provider: reference, session: expected }: Facing,
  batch: Batch,
  purpose: Purpose,
  where: string,
): Promise<Verdict> =>
  compare({ traits: provider, session }, { traits: reference, session: expected }, batch, purpose, where);

/**
 * Compares an engine that the user has named, on made-up data and on the user's first batch, if there is one.
 * @param session of the engine, for whole batches.
 * @returns the problem found, or why no comparison was possible; null if there is no problem or nothing to compare.
 * @throws the engine's own error on a batch; the error of `options.firstBatch`.
 */
export async function checkNamed(
  provider: EngineProvider,
  session: EngineSession,
  providers: readonly EngineProvider[],
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions,
): Promise<Verdict | null> {
  const bench = new Bench(providers, model, spec);
  const again = options.comparedOn?.includes(session.info.device);
  if (!options.firstBatch || again || bench.isReference(provider)) return null;
  const { purpose = 'training' } = spec;
  let small: EngineSession | undefined;
  try {
    const facing = await bench.facing(provider);
    if ('reason' in facing) return unchecked(facing);
    const { size } = facing;
    if (size !== spec.batchSize) small = await provider.open(model, trialSpec(spec, size));
    const own = small ?? session;
    const real = (await readFirst(options, own, size))!;
    const verdicts = [
      await judge(provider, own, facing, madeUpBatch(own, size), purpose, onMadeUp),
      await judge(provider, own, facing, real, purpose, onFirst),
    ];
    const against = ['differs', 'unknown'].flatMap((which) => verdicts.filter(({ outcome }) => outcome === which));
    return against[0] ?? null;
  } catch (error) {
    throw error instanceof DataFailure ? error.cause : error;
  } finally {
    await small?.dispose();
    await bench.close();
  }
}
