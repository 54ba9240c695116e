import { readModel } from '../../model/files/readModel.js';
import { summarizeModel } from '../../model/summarize.js';
import { frozenNote } from '../../model/layers/trainedLayers.js';
import { namedFile, type Command } from '../command.js';
import { bytes, count, percent, table } from '../text.js';

export const inspect: Command = {
  name: 'inspect',
  positionals: 'MODEL',
  summary: "a model's layers: shapes, weights, prunable, bytes, FLOPs, zeros",
  options: {},
  async run({ positionals, values, terminal }) {
    const { file, workspace } = await namedFile(positionals[0]!, values);
    const model = await readModel(file, { workspace });
    const data = new Map(model.weights.map((weight) => [weight.name, weight.data]));
    const zeros = (name: string) => data.get(name)?.reduce((found, value) => found + (value === 0 ? 1 : 0), 0) ?? 0;
    const zerosOf = (names: readonly string[]) => names.reduce((total, name) => total + zeros(name), 0);
    const summary = summarizeModel(model);
    const frozen = frozenNote(summary);
    const notes = [...model.notes, ...(frozen === null ? [] : [frozen])];
    const layers = summary.map((layer) => ({
      name: layer.name,
      className: layer.className,
      outputShape: layer.outputShape,
      params: layer.params,
      prunable: layer.prunable,
      frozen: layer.frozen ? layer.prunable : 0,
      bytes: 4 * layer.params,
      flops: layer.flops,
      zeros: zerosOf(layer.weights.filter((weight) => weight.prunable).map((weight) => weight.name)),
    }));
    const sum = (key: 'params' | 'prunable' | 'frozen' | 'bytes' | 'flops' | 'zeros') =>
      layers.reduce((total, layer) => total + layer[key], 0);
    for (const layer of layers) terminal.emit({ event: 'layer', ...layer });
    terminal.emit({
      event: 'model',
      path: model.path,
      format: model.format,
      params: sum('params'),
      prunable: sum('prunable'),
      frozen: sum('frozen'),
      bytes: sum('bytes'),
      flops: sum('flops'),
      zeros: sum('zeros'),
      notes,
    });
    const row = (
      name: string,
      kind: string,
      shape: string,
      of: { params: number; prunable: number; frozen: number; bytes: number; flops: number; zeros: number },
    ) => [
      name,
      kind,
      shape,
      count(of.params),
      of.frozen > 0 ? `${count(of.prunable)} (${count(of.frozen)} frozen)` : count(of.prunable),
      bytes(of.bytes),
      count(of.flops),
      of.prunable > 0 ? `${count(of.zeros)} (${percent(of.zeros / of.prunable, 1)})` : '',
    ];
    const rows = layers.map((layer) =>
      row(
        layer.name,
        layer.className,
        layer.outputShape ? `[${layer.outputShape.map((size) => size ?? '?').join(', ')}]` : '?',
        layer,
      ),
    );
    const total = {
      params: sum('params'),
      prunable: sum('prunable'),
      frozen: sum('frozen'),
      bytes: sum('bytes'),
      flops: sum('flops'),
      zeros: sum('zeros'),
    };
    terminal.print(
      table(
        ['layer', 'class', 'output', 'weights', 'prunable', 'bytes', 'FLOPs', 'zeros'],
        [...rows, row('total', '', '', total)],
      ),
    );
    for (const note of notes) terminal.print(`note: ${note}`);
    return 0;
  },
};
