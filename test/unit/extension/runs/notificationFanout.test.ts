/** Notifications from a language client, which keeps one handler a method, to everybody who listens. */
import { beforeEach, expect, test, vi } from 'vitest';
import { NotificationHub } from '../../../../extension/daemon/notifications.js';
import { KeptShares } from '../../../../extension/keptShares.js';
import { RunFeed } from '../../../../extension/monitor/runFeed.js';
import type { AbsolutePath } from '../../../../extension/paths.js';
import { RunStream } from '../../../../extension/runStream.js';
import { EventEmitter } from '../vscode.js';

/** Keeps handlers as vscode-languageclient does: the last handler of a method replaces the one before, and disposing it removes it. */
const client = vi.hoisted(() => {
  const handlers = new Map<string, (payload: unknown) => void>();
  class LanguageClient {
    onNotification(method: string, handle: (payload: unknown) => void) {
      handlers.set(method, handle);
      return { dispose: () => handlers.delete(method) };
    }
    async start() {}
  }
  return { handlers, LanguageClient };
});
vi.mock('vscode-languageclient/node', () => ({
  LanguageClient: client.LanguageClient,
  CloseAction: {},
  ErrorAction: {},
  RevealOutputChannelOn: {},
}));

/** Time for answers on a busy machine. */
const settle = () => new Promise((done) => setTimeout(done, 250));
beforeEach(() => client.handlers.clear());

/** The daemon's side of the connection: it sends events of a run only while the client is subscribed, and answers each request after a moment. */
class Wire {
  readonly subscribed = new Set<string>();
  readonly requests: string[] = [];
  readonly hub = new NotificationHub((error) => this.errors.push(error));
  readonly errors: unknown[] = [];
  readonly changed = new EventEmitter<unknown>();
  kept: unknown = null;
  state = { kind: 'ready' };
  log = { error: (error: unknown) => this.errors.push(error), debug: () => {} };
  onDidChangeState = this.changed.event;

  async open(): Promise<this> {
    const { Session } = await import('../../../../extension/daemon/session.js');
    const process = { exited: new Promise(() => {}), hello: { port: 1 }, token: '' };
    await Session.open(process as never, this.log as never, (method, payload) => this.hub.emit(method, payload));
    return this;
  }

  on: NotificationHub['on'] = (method, handle) => this.hub.on(method, handle);

  request = async (method: string, params: { run: string; on?: boolean }) => {
    this.requests.push(`${method} ${params.run}${params.on === undefined ? '' : params.on ? ' on' : ' off'}`);
    // Leaving is quicker than coming: what overtakes shows.
    await new Promise((done) => setTimeout(done, params.on === false ? 0 : 5));
    if (method === 'lc/subscribe') {
      if (params.on) this.subscribed.add(params.run);
      else this.subscribed.delete(params.run);
      return null;
    }
    if (method === 'lc/kept') return this.kept;
    return method === 'lc/history' ? { events: [], next: 0, end: true } : { plan: null };
  };

  batch(run: string, step: number): void {
    if (!this.subscribed.has(run)) return;
    const column = { epoch: [1], loss: [1], learningRate: [1], samplesPerSecond: [1], time: [1] };
    client.handlers.get('lc/batches')?.({ run, step: [step], ...column });
  }

  events(run: string, events: object[]): void {
    if (this.subscribed.has(run)) client.handlers.get('lc/events')?.({ run, events });
  }
}

const iteration = (kept: number) => ({
  event: 'iteration', time: 1, iteration: 1, iterations: 9, step: 1, mu: 1, distance: 1, ratio: 1, loss: 1, error: 0.1, kept, supportChange: 0,
  seconds: 1, etaSeconds: null, perLayer: [{ layer: 'fc1', weights: 100, kept }],
}); // prettier-ignore

test('every listener gets each notification until it is disposed, and one that throws does not affect the others', async () => {
  const wire = await new Wire().open();
  const heard: string[] = [];
  const listen = (name: string) => wire.on('lc/runChanged', ({ run }) => void heard.push(`${name} ${run}`));
  wire.on('lc/runChanged', () => {
    throw new Error('mine');
  });
  const [first, , third] = [listen('first'), listen('second'), listen('third')];
  client.handlers.get('lc/runChanged')!({ run: 'a', folder: '/w/a', summary: null });
  expect(heard).toEqual(['first a', 'second a', 'third a']);
  third!.dispose();
  first!.dispose();
  client.handlers.get('lc/runChanged')!({ run: 'b', folder: '/w/b', summary: null });
  expect(heard.slice(3)).toEqual(['second b']);
  expect(wire.errors).toEqual([new Error('mine'), new Error('mine')]);
  // An invalid message reaches no listener, and is logged.
  client.handlers.get('lc/runChanged')!({ run: 'c', folder: '/w/c' });
  expect(heard).toHaveLength(4);
  expect(String(wire.errors.at(-1))).toMatch(/lc\/runChanged/);
});

test('two running runs in a monitor grow, one removed and added again', async () => {
  const wire = await new Wire().open();
  const stream = new RunStream(wire as never);
  const feed = (run: string) => new RunFeed(wire as never, stream, run);
  const a = feed('a');
  let b = feed('b');
  await settle();
  let step = 0;
  const live = () => {
    wire.batch('a', ++step);
    wire.batch('b', step);
  };
  live();
  expect([a.series.lastStep, b.series.lastStep]).toEqual([1, 1]);
  b.dispose();
  live();
  expect([a.series.lastStep, b.series.lastStep]).toEqual([2, 1]);
  await settle();
  expect([...wire.subscribed]).toEqual(['a']);
  b = feed('b');
  await settle();
  live();
  expect([a.series.lastStep, b.series.lastStep]).toEqual([3, 3]);
  // Removed and added again at once: leaving must not overtake.
  a.dispose();
  const again = feed('a');
  await settle();
  live();
  expect([again.series.lastStep, b.series.lastStep]).toEqual([4, 4]);
  expect(wire.errors).toEqual([]);
});

test('two running runs of one name in two folders: every batch and every event of each arrives once, in its own series', async () => {
  const wire = await new Wire().open();
  const stream = new RunStream(wire as never);
  const names = ['/one/.lcprune/runs/r', '/two/.lcprune/runs/r'];
  const feeds = names.map((run) => new RunFeed(wire as never, stream, run));
  await settle();
  // Ten minutes at five messages a second, in turns and in bursts.
  const sent = [0, 0];
  const told = [0, 0];
  for (let tick = 0; tick < 3000; tick++) {
    const which = tick % 7 < 4 ? 0 : 1;
    wire.batch(names[which]!, ++sent[which]!);
    if (tick % 25 === 0) {
      told[which]!++;
      wire.events(names[which]!, [{ event: 'warning', time: tick, code: `c${tick}`, message: `${which} ${tick}` }]);
    }
  }
  for (const [i, { series }] of feeds.entries()) {
    const steps = series.news(new Map())!.batch!.columns.step!;
    expect(Array.from(steps)).toEqual(Array.from({ length: sent[i]! }, (_, step) => step + 1));
    expect(series.warnings).toHaveLength(told[i]!);
    expect(series.warnings.every(({ message }) => message.startsWith(`${i} `))).toBe(true);
  }
  expect(wire.errors).toEqual([]);
});

/** The runs of a workspace with one model, `/w/net.json`. */
function runsOf(...names: string[]) {
  const changed = new EventEmitter<unknown>();
  const reset = new EventEmitter<void>();
  const run = (name: string, kept: number | null = 1) => ({
    run: name,
    kept,
    state: 'running',
    modelFile: '/w/net.json',
  });
  const list = {
    all: names.map((name) => run(name)) as never[],
    onDidChangeRun: changed.event,
    onDidReset: reset.event,
  };
  return { list, changed, reset, run };
}

test('the shares of a model are live beside a monitor, and stay so when the monitor has dropped the run', async () => {
  const wire = await new Wire().open();
  const stream = new RunStream(wire as never);
  const { list } = runsOf('a');
  wire.kept = [{ layer: 'fc1', weights: 100, kept: 90 }];
  const shares = new KeptShares(wire as never, list as never, stream, '/w/net.json' as AbsolutePath);
  const feed = new RunFeed(wire as never, stream, 'a');
  const drawn = vi.fn();
  shares.onDidChange(drawn);
  await settle();
  expect(shares.layers).toEqual([{ layer: 'fc1', weights: 100, kept: 90 }]);
  wire.events('a', [iteration(50)]);
  expect(shares.layers).toEqual([{ layer: 'fc1', weights: 100, kept: 50 }]);
  expect(feed.series.layers).toEqual(shares.layers);
  feed.dispose();
  await settle();
  wire.events('a', [iteration(40)]);
  expect(shares.layers).toEqual([{ layer: 'fc1', weights: 100, kept: 40 }]);
  expect(drawn).toHaveBeenCalledTimes(3);
  shares.dispose();
  await settle();
  expect([...wire.subscribed]).toEqual([]);
});

test('a newer run of the model takes over with its first iteration; runs of other models never do', async () => {
  const wire = await new Wire().open();
  const { list, changed, run } = runsOf('old');
  const shares = new KeptShares(
    wire as never,
    list as never,
    new RunStream(wire as never),
    '/w/net.json' as AbsolutePath,
  );
  await settle();
  const tell = (before: unknown, after: unknown) => changed.fire({ run: 'new', before, after });
  list.all = [{ ...run('other'), modelFile: '/w/sub/net.json' }, run('new', null), ...list.all] as never[];
  tell(null, run('new', null));
  expect(shares.run?.run).toBe('old');
  list.all = list.all.map((each: { run: string }) => (each.run === 'new' ? run('new', 7) : each)) as never[];
  wire.kept = [{ layer: 'fc1', weights: 100, kept: 7 }];
  tell(run('new', null), run('new', 7));
  await settle();
  expect(shares.run?.run).toBe('new');
  expect(shares.layers).toEqual(wire.kept);
  expect([...wire.subscribed]).toEqual(['new']);
});

test('the next daemon gets the subscriptions again', async () => {
  const wire = await new Wire().open();
  const { list, reset } = runsOf('a');
  const stream = new RunStream(wire as never);
  const shares = new KeptShares(wire as never, list as never, stream, '/w/net.json' as AbsolutePath);
  const feed = new RunFeed(wire as never, stream, 'a');
  await settle();
  wire.subscribed.clear();
  wire.changed.fire(wire.state);
  reset.fire();
  await settle();
  wire.batch('a', 9);
  wire.events('a', [iteration(30)]);
  expect(feed.series.lastStep).toBe(9);
  expect(shares.layers).toEqual([{ layer: 'fc1', weights: 100, kept: 30 }]);
});
