/** Comments, messages, test names and documents use the field's words: none of the phrases of bannedWords.ts stands in them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BANNED } from './bannedWords.js';

const root = join(import.meta.dirname, '../..');
const tracked = (...patterns: string[]): string[] =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n');
const files = tracked('*.ts', '*.mjs', '*.c', '*.h').filter(
  (file) => !/^test\/guards\/(?:bannedWords|prose\.test)\.ts$/.test(file),
);
const documents = tracked('*.md');

/** The parts of a line that people read: comments, and texts in quotes. Code alone gives ''. */
function prose(line: string): string {
  const comment = /^\s*(?:\/?\*|\/\/)/.test(line) ? line : (/(?:^|[\s;{(,])(?:\/\/ |\/\*)(.*)/.exec(line)?.[1] ?? '');
  const texts = comment === line ? [] : [...line.matchAll(/'((?:[^'\\]|\\.)* (?:[^'\\]|\\.)*)'|`([^`]* [^`]*)`/g)];
  return [comment, ...texts.map(([, one, other]) => (one ?? other!).replace(/\$\{[^}]*\}/g, ''))].join(' ');
}

/** The lines of a document without code: blocks between fences, and spans between backticks, become empty. */
function documentLines(text: string): string[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    const fence = /^\s*```/.test(line);
    if (fence) fenced = !fenced;
    return fence || fenced ? '' : line.replace(/`[^`]*`/g, '');
  });
}

/** The rule sheet quotes banned phrases in its tables of what to write instead. */
const isQuotation = (file: string, line: string): boolean => file === 'CONTRIBUTING.md' && line.startsWith('|');

const found = (text: string): string[] => BANNED.flatMap(({ phrase }) => phrase.exec(text)?.[0] ?? []);

test('the guard finds a phrase in a comment, a message and a test name, and none in code', () => {
  expect(found(prose('  /** The caller is told of it. */'))).toEqual(['told']);
  expect(found(prose('  const a = 1; // It heeds a mask.'))).toEqual(['heeds']);
  expect(found(prose("  throw new Error('the plan says otherwise');"))).toEqual(['says otherwise']);
  expect(found(prose('  note(`${name} does not heed masks`);'))).toEqual(['heed']);
  expect(found(prose("it('shows a live run', () => {"))).toEqual(['live run']);
  expect(found(prose('  const told = tell(ears);'))).toEqual([]);
  expect(found(prose("  const [told, ears] = ['told', gift];"))).toEqual([]);
});

test('no comment, message or test name has a banned phrase', () => {
  expect(files.length).toBeGreaterThan(900);
  const hits = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => found(prose(line)).map((phrase) => `${file}:${i + 1}: ${phrase}`)),
  );
  expect(hits).toEqual([]);
});

test('the guard finds a phrase in a paragraph, a heading and a table of a document, and none in its code', () => {
  const text = '# Live charts\n\nThe user is told.\n\n| a | says otherwise |\n\n```\ntold\n```\n\nCall `tell()`.';
  expect(documentLines(text).map(found)).toEqual([['Live charts'], [], ['told'], [], ['says otherwise'], ...Array.from({ length: 6 }, () => [])]); // prettier-ignore
});

test('no document has a banned phrase', () => {
  expect(documents).toEqual(
    expect.arrayContaining(['README.md', 'extension/README.md', 'CHANGELOG.md', 'docs/data.md']),
  );
  const hits = documents.flatMap((file) =>
    documentLines(readFileSync(join(root, file), 'utf8')).flatMap((line, i) =>
      isQuotation(file, line) ? [] : found(line).map((phrase) => `${file}:${i + 1}: ${phrase}`),
    ),
  );
  expect(hits).toEqual([]);
});
