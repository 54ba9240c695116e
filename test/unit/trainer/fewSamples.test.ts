import { describe, expect, it } from 'vitest';
import { fewSamplesText, shareInterval } from '../../../daemon/trainer/judge/fewSamples.js';

describe('the error of a few samples', () => {
  it.each([
    // R 4.4, binom.test(wrong, samples)$conf.int; the ends of none and of all are 1 - 0.025^(1/n) and its complement.
    [0, 1, 0, 0.975],
    [1, 1, 0.025, 1],
    [0, 10, 0, 0.3084971],
    [5, 10, 0.187086, 0.812914],
    [1, 20, 0.001265089, 0.2487328],
    [29, 29, 0.8805551, 1],
  ])('%i of %i wrong: from %f to %f', (wrong, samples, low, high) => {
    const [from, to] = shareInterval(wrong, samples);
    expect(from).toBeCloseTo(low, 6);
    expect(to).toBeCloseTo(high, 6);
  });

  it('covers the share that is true at least 95 times in 100', () => {
    for (const p of [0.02, 0.1, 0.37, 0.5, 0.9])
      for (const n of [1, 5, 29]) {
        let covered = 0;
        let term = (1 - p) ** n;
        for (let k = 0; k <= n; k++) {
          const [low, high] = shareInterval(k, n);
          if (low <= p && p <= high) covered += term;
          term *= (((n - k) / (k + 1)) * p) / (1 - p);
        }
        expect(covered).toBeGreaterThanOrEqual(0.95);
      }
  });

  it('is a sentence below 30 samples, with the interval where it counts samples', () => {
    expect(fewSamplesText({ error: 1, samples: 1 }, false)).toBe('the error, 100%, is that of one sample and says little of others: theirs may be anything from 2.5% to 100% (95% interval)'); // prettier-ignore
    expect(fewSamplesText({ error: 0, samples: 10 }, false)).toMatch(/^the error, 0%, is that of 10 samples .* from 0% to 30\.85% /);
    for (const [error, regression] of [[0.3, true], [0.23, false], [null, false]] as const)
      expect(fewSamplesText({ error, samples: 10 }, regression)).toBe('the error is that of 10 samples: it says little of others');
    expect(fewSamplesText({ error: 0, samples: 30 }, false)).toBeNull();
    expect(fewSamplesText({ error: null, samples: 0 }, false)).toBeNull();
  }); // prettier-ignore
});
