import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { shellWord } from '../../../daemon/protocol/shellWord.js';

const NAMES = [
  'plan.prune.json',
  'my plan.prune.json',
  "it's here.json",
  'cost $HOME `id` "x".json',
  'a\\b.json',
  '~tilde',
  '#hash',
  'größe/日本.json',
  '*.json',
  'a;b&c|d',
  'two\nlines',
];

describe('words of suggested commands', () => {
  it.skipIf(process.platform === 'win32').each(NAMES)('a POSIX shell reads back %j', (name) => {
    const echoed = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(name, 'linux')}`], { encoding: 'utf8' });
    expect(echoed).toBe(name);
  });

  it('plain names stay as they are, and no name is an option', () => {
    expect(shellWord('runs/größe-2.prune.json', 'linux')).toBe('runs/größe-2.prune.json');
    expect(shellWord('-x.json', 'linux')).toBe('./-x.json');
    expect(shellWord('-my x.json', 'linux')).toBe("'./-my x.json'");
  });

  it('Windows: double quotes, which PowerShell and cmd share; single ones where PowerShell would expand', () => {
    expect(shellWord('C:\\a\\b.json', 'win32')).toBe('C:\\a\\b.json');
    expect(shellWord('C:\\my runs\\', 'win32')).toBe('"C:\\my runs\\\\"');
    expect(shellWord('a & b.json', 'win32')).toBe('"a & b.json"');
    expect(shellWord("it's $5.json", 'win32')).toBe("'it''s $5.json'");
    expect(shellWord('@list.json', 'win32')).toBe('"@list.json"');
  });
});
