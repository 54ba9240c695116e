import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { makeWorkspace, readAll } from '../fixtures.js';
import { CLASSES, csv, expectKnown, expectRefused, LABELS, NAMES, open, ROWS, type Read } from './known.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

const plain = csv();
const body = plain.slice(1);
const text = plain.join('\n');
const comma = (value: number) => String(value).replace('.', ',');
const utf16be = (s: string) => Buffer.from(s, 'utf16le').swap16();
const oneHot = (label: number, yes = '1', no = '0') => CLASSES.map((_, c) => (c === label ? yes : no)).join(',');
const oneHotHeader = `a,b,c,d,${CLASSES.map((name) => `label_${name}`).join(',')}`;
const quotedNotes = ROWS.map((row, i) => `"two\nlines, and ""quotes"", of ${i}",${row.join(',')},${NAMES[i]}`);
const byTab = csv('\t');

/** The content of the file, its name, and the notes that it must cause. */
const READ: readonly [quirk: string, name: string, content: string | Uint8Array, note?: string | null, read?: Read][] = [
  ['as it should be', 'plain.csv', text],
  ['no line end, then CRLF', 'crlf.csv', plain.join('\r\n') + '\r\n'],
  ['line ends of old Macs', 'mac.csv', plain.join('\r')],
  ['byte order mark', 'bom.csv', `\ufeff${text}`],
  ['semicolons', 'semicolons.csv', csv(';').join('\n')],
  ['tabs', 'tabs.tsv', byTab.join('\n')],
  ['tabs in a file called .csv', 'tabs.csv', byTab.join('\n')],
  ['bars', 'bars.txt', csv('|').join('\n')],
  ['spaces, several in a row', 'spaces.txt', csv('   ').join('\n')],
  ['spaces at both ends of lines and quoted texts', 'quoted spaces.txt', csv(' ', String, (i) => `"${NAMES[i]}"`).map((line) => `  ${line} `).join('\n')],
  ['decimal commas', 'decimal commas.csv', csv(';', comma).join('\n'), 'Commas in numbers are decimal signs.'],
  ['decimal commas without a header', 'no header commas.csv', csv(';', comma).slice(1).join('\n'), 'Commas in numbers are decimal signs.'],
  ['decimal commas between tabs', 'commas and tabs.tsv', csv('\t', comma).join('\n'), 'Commas in numbers are decimal signs.'],
  ['decimal commas in quotes between commas', 'quoted commas.csv', csv(',', (v) => `"${comma(v)}"`).join('\n'), 'Commas in numbers are decimal signs.'],
  ['a line of Excel that names the separator', 'sep.csv', `sep=;\n${csv(';').join('\n')}`],
  ['no header', 'headless.csv', body.join('\n')],
  ['a header of numbers, as pandas writes one', 'numbered.csv', ['0,1,2,3,4', ...body].join('\n'), 'The first row, which counts the columns, is taken for their names.'],
  ['row numbers and a header of numbers', 'numbered index.csv', [',0,1,2,3,4', ...body.map((line, i) => `${i},${line}`)].join('\n'), 'The row numbers in column "" are not an input.'],
  ['row numbers of pandas', 'index.csv', [`,${plain[0]}`, ...body.map((line, i) => `${i},${line}`)].join('\n'), 'The row numbers in column "" are not an input.'],
  ['row names of R, without a name for their column', 'r.csv', [plain[0]!, ...body.map((line, i) => `"Row ${i}",${line}`)].join('\n'), 'The row names in column "" are not an input.'],
  ['names of the rows in a column of texts', 'named rows.csv', [`who,${plain[0]}`, ...body.map((line, i) => `Row ${i},${line}`)].join('\n'), 'Texts are not an input, and the other columns fit: left out are column "who".'],
  ['names and row numbers', 'numbered names.csv', [`id,who,${plain[0]}`, ...body.map((line, i) => `${i},Row ${i},${line}`)].join('\n'), 'Texts are not an input, and the other columns fit: left out are columns "id", "who".'],
  ['comment lines', 'comments.csv', ['# made on a Monday', '# it\'s "so', ...plain.slice(0, 4), '# between', '#1,2,3,4,setosa', ...plain.slice(4)].join('\n'), 'Lines that begin with # are no data: 4 left out.'],
  ['the names in a comment, as numpy.savetxt writes them', 'savetxt.txt', [`# ${csv(' ')[0]}`, ...csv(' ', (v) => v.toExponential(18)).slice(1)].join('\n'), 'Labels are read from column "label".'],
  ['an empty last column, with a comma at the end of every line', 'trailing.csv', plain.map((line) => `${line},`).join('\n'), 'Left out, as there is nothing in it: column "".'],
  ['a comma at the end of every line but the header', 'trailing rows.csv', [plain[0]!, ...body.map((line) => `${line},`)].join('\n'), 'Left out, as there is nothing in it: column "".'],
  ['an empty last column with a name', 'unnamed.csv', [`${plain[0]},Unnamed: 5`, ...body.map((line) => `${line},`)].join('\n'), 'Left out, as there is nothing in it: column "Unnamed: 5".'],
  ['rows of commas alone, as Excel leaves them', 'empty rows.csv', [...plain, ',,,,', ',,,,'].join('\n'), 'Rows without any value are no data: 2 left out.'],
  ['blank lines', 'blank.csv', plain.join('\n\n')],
  ['UTF-16, little-endian', 'utf16le.csv', Buffer.from(`\ufeff${text}`, 'utf16le'), 'The text is read as UTF-16LE.'],
  ['UTF-16, big-endian', 'utf16be.csv', utf16be(`\ufeff${text}`), 'The text is read as UTF-16BE.'],
  ['UTF-16 without a mark', 'utf16.csv', Buffer.from(text, 'utf16le'), 'The text is read as UTF-16LE.'],
  ['gzip', 'packed.csv.gz', gzipSync(text)],
  ['gzip behind the name of a plain file', 'packed.csv', gzipSync(text)],
  ['quoted cells', 'quotes.csv', plain.map((line) => line.split(',').map((cell) => `"${cell}"`).join(',')).join('\r\n')],
  ['quoted texts with line ends, which are not asked for', 'line ends.csv', [`note,${plain[0]}`, ...quotedNotes].join('\n'), null, { config: { inputs: ['a', 'b', 'c', 'd'] } }],
  ['points for thousands', 'points.csv', ['population;a;b;c;d;label', ...csv(';', comma).slice(1).map((line) => `1.234.567,5;${line}`)].join('\n'), 'Commas in numbers are decimal signs.', { config: { inputs: ['a', 'b', 'c', 'd'] } }],
  ['thousands in quotes', 'thousands.csv', [plain[0]!, ...ROWS.map((row, i) => `"1,234,567","${row.join('","')}",${NAMES[i]}`)].join('\n').replace('a,', 'population,a,'), null, { config: { inputs: ['a', 'b', 'c', 'd'] } }],
  ['labels one-hot, the last columns', 'one-hot.csv', [oneHotHeader, ...ROWS.map((row, i) => `${row.join(',')},${oneHot(LABELS[i]!)}`)].join('\n'), 'Labels are read from columns "label_setosa", "label_versicolor", "label_virginica".'],
  ['labels one-hot in True and False, as pandas.get_dummies', 'dummies.csv', [oneHotHeader, ...ROWS.map((row, i) => `${row.join(',')},${oneHot(LABELS[i]!, 'True', 'False')}`)].join('\n')],
  ['labels one-hot in front, without a header', 'one-hot first.csv', ROWS.map((row, i) => `${oneHot(LABELS[i]!)},${row.join(',')}`).join('\n')],
  ['labels between the inputs', 'middle.csv', ['a,b,kind,c,d', ...ROWS.map(([a, b, c, d], i) => `${a},${b},${NAMES[i]},${c},${d}`)].join('\n'), 'Labels are read from column "kind".'],
  ['labels as numbers with a point', 'floats.csv', csv(',', String, (i) => `${LABELS[i]}.0`).join('\n')],
  ['exponents and signs', 'exponents.csv', csv(',', (v) => (v < 0 ? '' : '+') + v.toExponential()).join('\n')],
]; // prettier-ignore

const missing = (cell: string) => csv(',', (v) => (v === ROWS[1]![1] ? cell : String(v))).join('\n');
const way =
  'where a finite number is needed: fill it in, remove the row, write categories as numbers, or leave the column out with "data.inputs"';
const threeDecimals = ROWS.map((row, i) => `"1,125"\t${row.map((v) => Math.round(8 * v)).join('\t')}\t${NAMES[i]}`);
const REFUSED: readonly [quirk: string, name: string, content: string | Uint8Array, sentence: string][] = [
  ['a missing value', 'empty cell.csv', missing(''), `: line 3, column "b" has an empty cell ${way}`],
  ['NA', 'na.csv', missing('NA'), `: line 3, column "b" has "NA" (a missing value) ${way}`],
  ['dates', 'dates.csv', [plain[0]!, ...body.map((line, i) => line.replace(/^[^,]*/, `2020-01-${10 + i}`))].join('\n'), `: line 2, column "a" has "2020-01-10" ${way}`],
  ['percent signs', 'percent.csv', csv(',', (v) => `${v}%`).join('\n'), `: line 2, column "a" has "${ROWS[0]![0]}%" ${way}`],
  ['a decimal point among decimal commas', 'mixed.csv', csv(';', comma).join('\n') + `\n1.5;${csv(';', comma)[1]!.split(';').slice(1).join(';')}`, `: line 14, column "a" has "1.5 (decimal point)" ${way}`],
  ['commas that are decimal signs or separators of thousands', 'ambiguous.tsv', threeDecimals.join('\n'), `: line 1, column 0 has "1,125 (1.125 or 1125?)" ${way}`],
  ['an error behind blank lines, comments and quotes, with its own line', 'late.csv', ['# c', '', ...plain, '"x",1,2,3,setosa'].join('\n'), `: line 16, column "a" has "x" ${way}`],
  ['a name twice', 'twice.csv', ['a,a,c,d,label', ...body].join('\n'), ': two columns are called "a"; rename one'],
  ['another number of cells', 'ragged.csv', `${text}\n1,2,3`, ': line 14: the row has another number of columns than the first'],
  ['a missing label among numbers', 'nan label.csv', csv(',', String, (i) => (i === 4 ? 'NaN' : String(LABELS[i]))).join('\n'), ', column "label": a label is missing ("NaN") among numbers: fill it in, or remove the row'],
  ['an Excel workbook', 'book.csv', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(22), Buffer.from('\x13\0\0\0[Content_Types].xml')]), ': this is an Excel workbook, not data that is read here: save its sheet as CSV'],
  ['gzip that is cut short', 'cut.csv.gz', gzipSync(text).subarray(0, 150), ': the gzip data is damaged or cut short; get the file again'],
  ['an ARFF table', 'iris.txt', `% iris\n@RELATION iris\n\n@DATA\n${body.join('\n')}`, ': this is an ARFF table, not data that is read here: save it as CSV'],
  ['no rows', 'header.csv', plain[0]!, ': there are no rows of data in it'],
  ['nothing', 'empty.csv', '', ': the file is empty'],
]; // prettier-ignore

describe('CSV with quirks is read right', () => {
  it.each(READ)('%s', async (_, name, content, note, read) => {
    workspace.write(name, content);
    const { notes } = await expectKnown(workspace, name, read);
    if (note) expect(notes).toContain(note);
  });

  it('thousands in quotes beside decimals, in a column that is an input', async () => {
    const grouped = (value: number) => `"${(1000 * value).toLocaleString('en-US', { minimumFractionDigits: 1 })}"`;
    const lines = ROWS.map(([a, b, c, d], i) => [a, b, c, grouped(d!), NAMES[i]].join());
    workspace.write('grouped.csv', [plain[0]!, ...lines].join('\n'));
    const dataset = await open(workspace, 'grouped.csv');
    const { inputs } = await readAll(dataset, dataset.test);
    expect(inputs).toEqual(ROWS.map(([a, b, c, d]) => [a, b, c, 1000 * d!]));
    expect(dataset.notes).toContain('Commas in numbers separate thousands.');
  });

  it('Latin-1: names of classes with their letters', async () => {
    const names = ['abeille', 'guêpe', 'mouche'];
    const latin = csv(';', String, (i) => names[LABELS[i]!]!).join('\n');
    workspace.write('latin.csv', Buffer.from(latin, 'latin1'));
    const { classes, notes } = await expectKnown(workspace, 'latin.csv');
    expect(classes).toEqual(names);
    expect(notes).toContain('The text is not UTF-8: it is read as Windows-1252 (Latin-1).');
  });

  it('UTF-8: a character across the pieces in which a file is read', async () => {
    const names = ['a', 'b', '日本'];
    // Names alone do not fill 64 kB: a comment shifts them onto the border of two pieces.
    for (const shift of [0, 1, 2]) {
      const lines = csv(',', String, (i) => names[LABELS[i]!]!).join('\n');
      const border = Buffer.byteLength(lines.slice(0, lines.indexOf('日')));
      const content = `#${'x'.repeat(65536 - 3 - border + shift)}\n${lines}`;
      workspace.write('border.csv', content);
      expect((await expectKnown(workspace, 'border.csv')).classes).toEqual(names);
    }
  });
});

describe('CSV that cannot be read is refused in one sentence', () => {
  it.each(REFUSED)('%s', async (_, name, content, sentence) => {
    workspace.write(name, content);
    await expectRefused(workspace, name, sentence);
  });

  it('texts that look like numbers of a program are not numbers', async () => {
    workspace.write('hex.csv', missing('0x1F'));
    await expectRefused(workspace, 'hex.csv', `: line 3, column "b" has "0x1F" ${way}`);
  });
});
