/** Tools that write the result of a run for other programs. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../protocol/errors.js';
import { bytes, times } from '../../protocol/format.js';
import { ExportFormat } from '../../protocol/messages.js';
import { defineTool, filePath, READS, runName, text } from '../tool.js';

const point = z.int().min(0).max(1e6).optional().describe('Of a path run: this point of its curve; left out: its result.'); // prettier-ignore

export const listExports = defineTool({
  name: 'list_export_formats',
  title: 'List export formats',
  description:
    'The formats that the result of a run can be written in (TensorFlow.js, Keras, ONNX, sparse package, ...), with the size of each. Takes some seconds.',
  annotations: READS,
  input: z.strictObject({ run: runName, point }),
  output: z.object({ text, formats: z.array(ExportFormat) }),
  async run({ run, point: of }, root) {
    const formats = await root.ask('lc/exportFormats', { run, point: of });
    const lines = formats.map(
      ({ format, bytes: size, ratio }) => `${format} ${bytes(size)} (${times(ratio)}x smaller)`,
    );
    return { text: `${lines.join(', ')}.`, formats };
  },
});

export const exportRun = defineTool({
  name: 'export_run',
  title: 'Export the result of a run',
  description:
    'Writes the pruned network of a run to a file (or a folder) in one of the formats of list_export_formats.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  input: z.strictObject({
    run: runName,
    format: z.string().min(1).max(100).describe('Id of the format, such as "tfjs-layers".'),
    target: filePath('The file to write (a folder, where the format is several files)'),
    point,
    overwrite: z.boolean().default(false).describe('Whether a file that is there may be replaced.'),
  }),
  output: z.object({
    text,
    path: z.string(),
    bytes: z.number(),
    scaleFile: z.string().nullable().describe('Beside it: how inputs are scaled, where they are not as stored.'),
  }),
  async run({ run, format, target, point: of, overwrite }, root) {
    await root.find(run);
    const path = await root.file(target);
    if (!overwrite && (await stat(path).catch(() => null)))
      throw new UserError('usage', `${root.shown(path)} exists; name another "target", or allow "overwrite": true`, {
        file: path,
        field: 'target',
      });
    const written = await root.ask('lc/export', { run, format, target: path, point: of });
    const scaleFile = written.scaleFile === undefined ? null : root.shown(written.scaleFile);
    return {
      text: `${root.shown(written.path)}: ${bytes(written.bytes)}${scaleFile === null ? '' : `; ${basename(scaleFile)} beside it says how inputs are scaled`}.`,
      path: root.shown(written.path),
      bytes: written.bytes,
      scaleFile,
    };
  },
});
