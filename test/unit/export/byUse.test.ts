/** Which file is recommended for which use: by measured sizes and errors. */
import { expect, it } from 'vitest';
import { formatsByUse } from '../../../daemon/export/byUse.js';
import type { FileQuality, FormatSize } from '../../../daemon/export/exportModel.js';
import { FORMATS } from '../../../daemon/export/formats.js';

const size = (format: string, bytes: number, quality?: FileQuality): FormatSize => ({
  format,
  name: format,
  bytes,
  gzip: bytes,
  brotli: bytes,
  ratio: 1,
  ...(quality && { quality }),
});
const recommended = (formats: FormatSize[], error: number | null = null) =>
  formatsByUse({ formats }, error).filter((one) => one.recommended).map(({ format }) => format); // prettier-ignore

it('every format has a use, and comes once, by use and size', () => {
  const all = formatsByUse({ formats: FORMATS.map(({ id }, i) => size(id, 100 - i)) });
  expect(all.map(({ format }) => format).sort()).toEqual(FORMATS.map(({ id }) => id).sort());
  const uses = all.map(({ use }) => use);
  expect([...new Set(uses)]).toEqual(['web', 'python', 'onnx', 'weights']);
  expect(uses).toEqual([...uses].sort((a, b) => ['web', 'python', 'onnx', 'weights'].indexOf(a) - ['web', 'python', 'onnx', 'weights'].indexOf(b))); // prettier-ignore
  // One file for each kind of program; weights alone are not a network.
  expect(all.filter((one) => one.recommended).map(({ use }) => use)).toEqual(['web', 'python', 'onnx']);
});

it('rounded weights are recommended only where their error was measured and is no worse', () => {
  const web = (error?: number) => [
    size('tfjs-layers', 900, error === undefined ? undefined : { error: 0.02 }),
    size('tfjs-uint8', 100, error === undefined ? undefined : { error }),
  ];
  expect(recommended(web())).toEqual(['tfjs-layers']);
  expect(recommended(web(0.0205), 0.02)).toEqual(['tfjs-uint8']);
  expect(recommended(web(0.03), 0.02)).toEqual(['tfjs-layers']);
  expect(recommended([size('tfjs-uint8', 100, { error: null }), size('tfjs-layers', 900, { why: 'no engine' })], 0.02)).toEqual(['tfjs-layers']); // prettier-ignore
});
