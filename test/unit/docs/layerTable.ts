/** The table of all layer classes in docs/models.md, from their records and the cases of the matrix. */
import { readFileSync } from 'node:fs';
import type { LayerClass } from '../../../daemon/model/layerClasses/layerClass.js';
import { LAYER_CLASSES } from '../../../daemon/model/layerClasses/registry.js';

const { layers } = JSON.parse(readFileSync('test/matrix/reference.json', 'utf8')) as { layers: { config: object }[] };

const configs = layers.map(({ config }) => JSON.stringify(config));
/** Cases of the matrix whose network has a layer of each class. */
const cases = (name: string): number => configs.filter((config) => config.includes(`"class_name":"${name}"`)).length;

const reads = ({ refused, shape, recurrent }: LayerClass): string =>
  refused !== undefined ? 'refused' : shape ? 'yes' : recurrent ? 'inside RNN' : 'as another class';
const own = ({ compute, computes }: LayerClass): string => (compute ? (computes ? 'some settings' : 'yes') : '');
const units = (record: LayerClass): string => (record.forward ? 'yes' : record.shape ? 'kept' : '');
const keras = ({ keras, inKeras3, rewrite, refused }: LayerClass): string =>
  refused !== undefined ? '' : keras || inKeras3 ? 'yes' : rewrite ? 'as read' : 'no';

/** Converted on export (export/tfjs/tfjsNormalization.ts). */
const CONVERTED: ReadonlySet<string> = new Set(['Normalization']);
const tfjs = (name: string, { compute, computes, refused, shape }: LayerClass): string => {
  if (refused !== undefined || !shape) return '';
  if (CONVERTED.has(name)) return 'converted';
  return name === 'Operation' || (compute && !computes) ? 'no' : compute ? 'other settings' : 'yes';
};

export function layerTable(): string {
  const rows = Object.entries(LAYER_CLASSES as Readonly<Record<string, LayerClass>>)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, record]) => [
      name,
      reads(record),
      record.weights ? 'yes' : '',
      own(record),
      units(record),
      keras(record),
      tfjs(name, record),
      String(cases(name) || ''),
    ]);
  const head = ['class', 'loads', 'weights', 'computed here', 'units', 'Keras files', 'TensorFlow.js', 'cases'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`; // prettier-ignore
  return [line(head), line(widths.map((n) => '-'.repeat(n))), ...rows.map(line)].join('\n');
}
