/** The export's quick pick over a stand-in daemon: it shows sizes at once, speed later, and exports even if that fails. */
import { expect, test } from 'vitest';
import { askFormat } from '../../../extension/export/askFormat.js';
import type { FormatItem } from '../../../extension/export/formatItem.js';
import type { ExportFormat, LatencyFigures } from '../../../daemon/protocol/messages.js';
import { EventEmitter, window } from './vscode.js';

const format = (id: string, network: ExportFormat['network']): ExportFormat => ({
  format: id,
  name: id,
  extension: '.x',
  bytes: 2048,
  gzip: 1024,
  brotli: 512,
  ratio: 66.666,
  network,
  use: 'web',
  recommended: false,
  faithful: true,
});
const FORMATS = [
  format('dense', 'pruned'),
  format('thin', 'thinned'),
  format('module', 'sparse module'),
  format('mask', null),
];
const SIZES = '1 kB gzip, 512 B brotli, 66.7× smaller';
const SPEED: LatencyFigures = {
  machine: 'a machine, 1 thread',
  rows: [
    { what: 'reference', batch: 1, microseconds: 24.68, speedup: 1 },
    { what: 'pruned', batch: 1, microseconds: 24.68, speedup: 1 },
    { what: 'pruned', batch: 64, microseconds: 640, speedup: 1 },
    { what: 'thinned', batch: 1, microseconds: 1234.4, speedup: 0.02 },
  ],
  left: [{ what: 'sparse module', reason: 'no dense layers' }],
  flops: { pruned: 1000, thinned: 123 },
};

/** The editor's quick pick, with a user. */
class Pick {
  title = '';
  placeholder = '';
  busy = false;
  disposed = false;
  shown = false;
  items: FormatItem[] = [];
  activeItems: FormatItem[] = [];
  selectedItems: FormatItem[] = [];
  #accepted = new EventEmitter<void>();
  #hidden = new EventEmitter<void>();
  onDidAccept = this.#accepted.event;
  onDidHide = this.#hidden.event;
  show() {
    this.shown = true;
  }
  hide() {
    this.#hidden.fire();
  }
  dispose() {
    this.disposed = true;
  }
  choose(id: string) {
    this.selectedItems = this.items.filter((item) => item.format?.format === id);
    this.#accepted.fire();
  }
}

/** The items without the headings. */
const choices = (pick: Pick) => pick.items.filter(({ format }) => format !== null);

interface Question {
  readonly method: string;
  readonly params: unknown;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

function stand() {
  const pick = new Pick();
  Object.assign(window, { createQuickPick: () => pick });
  const asked: Question[] = [];
  const request = (method: string, params: unknown) =>
    new Promise((resolve, reject) => asked.push({ method, params, resolve, reject }));
  const chosen = askFormat('Export', { request: request as never }, { run: 'r', point: 2 });
  return { pick, asked, chosen };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

test('sizes come first, then FLOPs and latency, and the line in focus stays in focus', async () => {
  const { pick, asked, chosen } = stand();
  expect([pick.shown, pick.busy, asked.map(({ method }) => method)]).toEqual([true, true, ['lc/exportFormats']]);
  asked[0]!.resolve(FORMATS);
  await settled();
  expect(pick.items[0]).toMatchObject({ label: 'For the web', format: null });
  expect(choices(pick).map(({ detail }) => detail)).toEqual([SIZES, SIZES, SIZES, SIZES]);
  expect(choices(pick)[0]).toMatchObject({ label: 'dense', description: '2 kB' });
  expect([pick.busy, asked[1]!.method, asked[1]!.params]).toEqual([true, 'lc/latency', { run: 'r', point: 2 }]);
  pick.activeItems = [choices(pick)[2]!];
  asked[1]!.resolve(SPEED);
  await settled();
  expect(choices(pick).map(({ detail }) => detail)).toEqual([
    `${SIZES}; 100% of the FLOPs; 24.7 µs, 1× as fast`,
    `${SIZES}; 12.3% of the FLOPs; 1.23 ms, 0.02× as fast`,
    SIZES,
    SIZES,
  ]);
  expect(pick.activeItems).toEqual([choices(pick)[2]]);
  expect([pick.busy, pick.placeholder]).toEqual([false, expect.stringContaining('a machine, 1 thread')]);
  pick.choose('thin');
  expect(await chosen).toBe(FORMATS[1]);
  expect(pick.disposed).toBe(true);
});

test('a network without a measurement of one sample is described by the batch there is, per sample', async () => {
  const { pick, asked } = stand();
  asked[0]!.resolve(FORMATS);
  await settled();
  asked[1]!.resolve({ ...SPEED, rows: SPEED.rows.filter(({ batch }) => batch === 64) });
  await settled();
  expect(choices(pick)[0]!.detail).toContain('10 µs');
});

test('nothing waits for the latency, and its late answer disturbs nothing', async () => {
  const { pick, asked, chosen } = stand();
  asked[0]!.resolve(FORMATS);
  await settled();
  const items = pick.items;
  pick.choose('mask');
  expect(await chosen).toBe(FORMATS[3]);
  asked[1]!.resolve(SPEED);
  await settled();
  expect(pick.items).toBe(items);
});

test('if the latency fails, the formats stay with the reason', async () => {
  const { pick, asked, chosen } = stand();
  asked[0]!.resolve(FORMATS);
  await settled();
  asked[1]!.reject(new Error('no onnxruntime here'));
  await settled();
  expect([pick.busy, pick.placeholder]).toEqual([false, 'The latency is not known: no onnxruntime here']);
  pick.choose('dense');
  expect(await chosen).toBe(FORMATS[0]);
});

test('if the formats fail, so does the export; giving up exports nothing', async () => {
  const failed = stand();
  const outcome = expect(failed.chosen).rejects.toThrow('the result is damaged');
  failed.asked[0]!.reject(new Error('the result is damaged'));
  await outcome;
  expect(failed.pick.disposed).toBe(true);

  const left = stand();
  left.pick.hide();
  left.asked[0]!.resolve(FORMATS);
  expect(await left.chosen).toBeUndefined();
  await settled();
  expect(left.asked).toHaveLength(1);
});

test('formats come by use, with what was measured of each when the run ended, and the recommended one is marked', async () => {
  const { pick, asked } = stand();
  const python = { ...format('keras', 'pruned'), use: 'python' as const, recommended: true, error: 0.0154 };
  asked[0]!.resolve([FORMATS[0], python, { ...format('csr', null), use: 'weights' }]);
  await settled();
  expect(pick.items.map(({ label }) => label)).toEqual(['For the web', 'dense', 'For Python (Keras)', '$(star-full) keras', 'Weights alone', 'csr']); // prettier-ignore
  expect(pick.items[3]).toMatchObject({ description: '2 kB, recommended', detail: `${SIZES}; error 1.54%` });
});
