import { resolve } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { MarksChange } from '../../protocol/runs/marks.js';
import { changeMarks, NO_MARKS, readMarks } from '../../runs/list/marks.js';
import { findRun } from '../../runs/list/registry.js';
import { stringOption, type Command } from '../command.js';

/** "a, b" as tags. */
const listed = (text: string | undefined): string[] => (text ?? '').split(',').map((tag) => tag.trim()).filter(Boolean); // prettier-ignore

export const mark: Command = {
  name: 'mark',
  positionals: 'RUN',
  summary: 'note a star, tags and a note of a run; the editor shows them too',
  options: {
    star: { type: 'boolean', help: 'add a star' },
    unstar: { type: 'boolean', help: 'remove it' },
    tag: { type: 'string', value: 'TAGS', help: 'add tags, separated by commas' },
    untag: { type: 'string', value: 'TAGS', help: 'remove tags' },
    note: { type: 'string', value: 'TEXT', help: 'the note; "" removes it' },
  },
  async run({ positionals, values, terminal }) {
    const workspace = resolve(stringOption(values, 'workspace') ?? '.');
    const { folder } = await findRun(positionals[0]!, { workspace });
    if (values['star'] === true && values['unstar'] === true)
      throw new UserError('usage', 'lc-prune mark: --star and --unstar contradict each other');
    const before = (await readMarks(folder)) ?? NO_MARKS;
    const gone = listed(stringOption(values, 'untag'));
    const tags = [...new Set([...before.tags, ...listed(stringOption(values, 'tag'))])].filter((tag) => !gone.includes(tag)); // prettier-ignore
    const note = stringOption(values, 'note');
    const change = MarksChange.safeParse({
      ...((values['star'] === true || values['unstar'] === true) && { star: values['star'] === true }),
      tags,
      ...(note !== undefined && { note }),
    });
    if (!change.success)
      throw new UserError('usage', 'lc-prune mark: at most 30 tags of up to 50 characters, and a note of 10,000');
    const marks = await changeMarks(folder, change.data);
    terminal.emit({ event: 'marks', run: positionals[0], ...marks });
    const said = [marks.star ? '★' : '', marks.tags.join(', '), marks.note].filter(Boolean).join('  ');
    terminal.print(said || 'nothing is noted of this run');
    return 0;
  },
};
