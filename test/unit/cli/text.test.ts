import { describe, expect, it } from 'vitest';
import { bytes, count, duration, errorText, percent, sparkline, table } from '../../../daemon/cli/text.js';

describe('text', () => {
  it('writes numbers as people read them', () => {
    expect(count(266200)).toBe('266,200');
    expect(percent(0.0317)).toBe('3.17%');
    expect(percent(null)).toBe('-');
    expect(bytes(1023)).toBe('1023 B');
    expect(bytes(16 * 1024)).toBe('16 kB');
    expect(bytes(1.5 * 1024 * 1024)).toBe('1.5 MB');
    expect(duration(59.4)).toBe('59 s');
    expect(duration(61)).toBe('1 min 1 s');
    expect(duration(3 * 3600 + 120)).toBe('3 h 2 min');
    expect(duration(null)).toBe('-');
  });

  it('calls no figure an error of labels that the data does not have', () => {
    expect(errorText({ error: 0.0123 })).toBe('error 1.23%');
    expect(errorText({ error: 0.0123, target: 'reference' })).toBe('1.23% unlike the reference');
    expect(errorText({ error: 0.0123, absoluteError: 0.5 })).toBe(
      '1.23% of the variance unexplained, mean absolute error 0.5',
    );
    expect(errorText({ error: 0.0123, absoluteError: 0.5, target: 'reference' })).toBe(
      "1.23% of the variance of the reference's answers unexplained, mean distance from them 0.5",
    );
  });

  it('aligns numbers right and words left', () => {
    expect(
      table(
        ['layer', 'n'],
        [
          ['fc1', '10'],
          ['a', '1,000'],
        ],
      ),
    ).toBe('layer      n\n-----  -----\nfc1       10\na      1,000');
  });

  it('draws a curve with gaps', () => {
    expect(sparkline([0, 1, null, 0.5])).toBe('▁█ ▅');
    expect(sparkline([1, 1])).toBe('▁▁');
    expect(
      sparkline(
        Array.from({ length: 100 }, (_, i) => i),
        10,
      ),
    ).toHaveLength(10);
  });
});
