import { resolve } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { partName } from '../../protocol/finishText.js';
import type { TriedAnswer, TriedSample } from '../../protocol/whatChanged.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import { orDash, significant } from '../../protocol/format.js';
import { findRun } from '../../runs/list/registry.js';
import { openChanged } from '../../runs/results/changed.js';
import { trySample } from '../../runs/results/trySample.js';
import { integerOption, stringOption, type Command } from '../command.js';
import { printChanged } from '../changedView.js';
import { count, percent, table } from '../text.js';

/** "5.1, 3.5; 1.4": inputs are separated by ";". @throws UserError('usage'). */
function parseValues(text: string): number[][] {
  return text.split(';').map((row) =>
    row
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((word) => {
        const value = Number(word);
        if (!Number.isFinite(value))
          throw new UserError('usage', `--values: "${word}" is no number; give numbers as they are stored, "5.1, 3.5"`);
        return value;
      }),
  );
}

function printTried({ reference, pruned, notes }: TriedAnswer, print: (text: string) => void): void {
  const shown = (answer: TriedAnswer['pruned'] | null, i: number) => {
    const one = answer?.answers[i];
    if (!one) return '-';
    const { value, name } = one;
    if (answer.unit === 'share') return `${name} ${percent(value)}`;
    return orDash(value, (figure) => significant(figure, 6));
  };
  print(
    table(
      ['', 'reference', 'pruned'],
      pruned.answers.map((_, i) => [String(i + 1), shown(reference, i), shown(pruned, i)]),
    ),
  );
  for (const note of notes) print(`note: ${note}`);
}

export const changed: Command = {
  name: 'changed',
  positionals: 'RUN',
  summary:
    'what pruning changed: errors per class, confusions and the samples with another answer, beside the reference',
  options: {
    point: { type: 'string', value: 'N', help: 'of a path run: this point of its curve (default: its result)' },
    samples: { type: 'string', value: 'N', help: 'how many changed samples are listed (default: 20)' },
    image: { type: 'string', value: 'FILE', help: 'instead: what both networks say of this image' },
    values: { type: 'string', value: 'ROW', help: 'instead: what they say of these values, as stored ("5.1, 3.5"; ";" between inputs)' }, // prettier-ignore
  },
  async run({ positionals, values, terminal }) {
    const point = integerOption(values, 'point', 0, 1e6);
    const samples = integerOption(values, 'samples', 0, 1e6) ?? 20;
    const [image, row] = [stringOption(values, 'image'), stringOption(values, 'values')];
    if (image !== undefined && row !== undefined)
      throw new UserError('usage', 'lc-prune changed: give --image or --values, not both');
    const { folder, workspace } = await findRun(positionals[0]!, {
      workspace: resolve(stringOption(values, 'workspace') ?? '.'),
    });
    const sample: TriedSample | null =
      image !== undefined
        ? { kind: 'file', file: resolve(image) as AbsolutePath }
        : row !== undefined
          ? { kind: 'values', inputs: parseValues(row) }
          : null;
    const onProgress = (done: number, total: number) =>
      terminal.status(`comparing the answers: ${count(done)} of ${count(total)}`);
    if (sample) {
      const tried = await trySample(folder, { workspace, point, sample });
      terminal.emit({ event: 'tried', ...tried });
      printTried(tried, (text) => terminal.print(text));
      return 0;
    }
    const found = await openChanged(folder, { workspace, point, onProgress });
    terminal.status('');
    // Terminals show no pictures.
    const { inputs: _inputs, ...figures } = found;
    terminal.emit({ event: 'changed', ...figures });
    terminal.print(
      `Of ${count(found.samples)} samples of the ${partName(found.set)} part; ${count(found.changed.worse)} worse, ${count(found.changed.better)} better, ${count(found.changed.other)} otherwise wrong.`,
    );
    printChanged(found, samples, terminal);
    for (const note of found.notes) terminal.note(`note: ${note}`);
    return 0;
  },
};
