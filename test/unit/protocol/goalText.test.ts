/** Budgets and goals as people type them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../../daemon/lc/budgets/budgetSpec.js';
import { WORDS, type Kind } from '../../../daemon/lc/budgets/registry.js';
import { boundText, budgetText, examples, offerOf, parseGoal, SUGGESTED } from '../../../daemon/protocol/goalText.js';
import { Budget, ErrorBound } from '../../../daemon/protocol/plan.js';

const first = (text: string) => {
  const parsed = parseGoal(text);
  if ('problem' in parsed) return parsed.problem;
  const reading = parsed.readings[0]!;
  return 'budget' in reading ? reading.budget : reading.bound;
};

describe('a plan’s budget as typed', () => {
  test.each([
    [{ keep: '1%' }, '1%'],
    [{ weights: 2662 }, '2662 weights'],
    [{ weights: 50 }, '50 weights'],
    [{ bytes: '40 kB' }, '40 kB'],
    [{ flops: '50%' }, '50% flops'],
    [{ neurons: 100 }, '100 neurons'],
    [{ pattern: '2:4' }, '2:4'],
    [{ fanIn: 32 }, '32 inputs a neuron'],
  ])('%j', (budget, text) => {
    expect(budgetText(budget)).toBe(text);
    expect(first(text)).toEqual(budget);
  });

  test.each([
    ['50% of the FLOPs, in multiples of 8', { flops: '50%', prune: 'neurons', roundTo: 8 }],
    ['100 neurons in multiples of 16', { neurons: 100, roundTo: 16 }],
    ['10% rounded to 4', { keep: '10%', prune: 'neurons', roundTo: 4 }],
    ['2:4 in multiples of 8', 'unreadable'],
    ['lose at most 1% in multiples of 8', 'unreadable'],
    ['50% in multiples of 0', 'range'],
  ] as const)('%s', (text, budget) => expect(first(text)).toEqual(budget));

  test.each([
    [{ keep: '1%', scope: 'layer' }],
    [{ alpha: 1e-4 }],
    [{ neurons: 0.5 }],
    [{ keep: {} }],
    [{}],
    [undefined],
    ['1%'],
  ])('%j says more, or nothing', (budget) => expect(budgetText(budget)).toBe(''));
});

describe('goals on the error, as people say them', () => {
  test.each([
    'lose at most 0.5%',
    'Lose at most 0,5 %',
    'lose 0.5%',
    'lose no more than 0.5 percent',
    'lose at most 0.5 points',
    'loses at most half'.replace('half', '0.5'),
    'at most 0.5 points worse',
    'at most 0.5% worse than the reference',
    '0.5% worse',
    'drop at most 0.5% accuracy',
    'at most 0.5% accuracy loss',
    'at most 0.5% more error',
    'within 0.5%',
    'within 0.5% of the reference',
    '+0.5%',
    '+ 0.5 pp',
    '0.5 pp',
    '0.5 percentage points',
    '<= 0.5% worse',
    'max 0.5% loss',
  ])('%s: half a point more than the reference', (text) => expect(first(text)).toEqual({ maxErrorIncrease: '0.5%' }));

  test.each(['lose nothing', 'no worse', 'lossless', 'same accuracy', 'no worse than the reference', 'without loss'])(
    '%s: none',
    (text) => expect(first(text)).toEqual({ maxErrorIncrease: '0%' }),
  );

  test.each([
    '97% accuracy',
    'accuracy 97%',
    'at least 97% accuracy',
    'accuracy >= 97%',
    'accuracy of at least 97%',
    'accuracy 0.97',
    '97 % correct',
    '97 accuracy',
    'error 3%',
    'Error: 3%',
    'error <= 3%',
    'error at most 3%',
    'error below 3 percent',
    'at most 3% error',
    '3% error',
    'error 0.03',
    'test error 3%',
    '3% wrong',
  ])('%s: three wrong of a hundred', (text) => expect(first(text)).toEqual({ maxError: '3%' }));

  test('the nearest decimals are written, not those of binary numbers', () => {
    expect(first('97.3% accuracy')).toEqual({ maxError: '2.7%' });
    expect(first('99.95% accuracy')).toEqual({ maxError: '0.05%' });
  });

  test.each([
    ['accuracy 101%', 'range'],
    ['accuracy 0%', 'range'],
    ['error 100%', 'range'],
    ['lose 100%', 'range'],
    ['error 0.0000001%', 'range'],
    ['lose', 'unreadable'],
    ['lose at most', 'unreadable'],
    ['2 ms', 'time'],
    ['under 500 µs', 'time'],
    ['0.5 s a sample', 'time'],
    ['x'.repeat(1e6), 'unreadable'],
  ])('%s is none', (text, problem) => expect(first(text)).toBe(problem));
});

describe('ratios', () => {
  test.each([
    ['10x smaller', { keep: '10%' }],
    ['10× smaller', { keep: '10%' }],
    ['10 times fewer weights', { keep: '10%' }],
    ['10-fold', { keep: '10%' }],
    ['10x', { keep: '10%' }],
    ['1/10', { keep: '10%' }],
    ['1/3', { keep: '33.3333%' }],
    ['1/10 of the weights', { keep: '10%' }],
    ['a tenth', { keep: '10%' }],
    ['a tenth of the weights', { keep: '10%' }],
    ['90% smaller', { keep: '10%' }],
    ['90% sparse', { keep: '10%' }],
    ['prune 90%', { keep: '10%' }],
    ['remove 90% of the weights', { keep: '10%' }],
    ['keep 10%', { keep: '10%' }],
    ['half', { keep: '50%' }],
    ['half the FLOPs', { flops: '50%' }],
    ['half of the flops', { flops: '50%' }],
    ['2x fewer flops', { flops: '50%' }],
    ['2x faster', { flops: '50%' }],
    ['a quarter of the neurons', { neurons: '25%' }],
    ['half the size', { keep: '50%' }],
    ['4x fewer channels', { neurons: '25%' }],
    ['200 kB', { bytes: '200 kB' }],
    ['at most 200 kB', { bytes: '200 kB' }],
    ['fit into 200 kB', { bytes: '200 kB' }],
    ['2 MiB', { bytes: '2 MB' }],
  ])('%s', (text, budget) => expect(first(text)).toEqual(budget));

  test.each([
    ['0x', 'range'],
    ['0.5x smaller', 'range'],
    ['3/2', 'range'],
    ['1/0', 'range'],
    ['0/3', 'range'],
    ['prune 100%', 'range'],
    ['99999999999x smaller', 'range'],
    ['10x bananas', 'unreadable'],
  ])('%s is none', (text, problem) => expect(first(text)).toBe(problem));

  test('a bare ratio can mean weights, FLOPs or neurons', () => {
    const parsed = parseGoal('1/10');
    expect('readings' in parsed && parsed.readings.map(({ kind }) => kind)).toEqual(['keep', 'flops', 'neurons']);
  });
});

describe('a plan’s goal as typed', () => {
  test.each([
    [{ maxErrorIncrease: '0.5%' }, 'lose at most 0.5%'],
    [{ maxErrorIncrease: 0.005, points: 3 }, 'lose at most 0.5%'],
    [{ maxError: '3%' }, 'error 3%'],
    [{ points: 3 }, ''],
    [undefined, ''],
    [{ maxError: {} }, ''],
  ])('%j', (path, text) => {
    expect(boundText(path)).toBe(text);
    if (text) expect(first(text)).toEqual('maxError' in path! ? { maxError: '3%' } : { maxErrorIncrease: '0.5%' });
  });
});

describe('reading a budget as typed', () => {
  test.each([
    ['1%', { keep: '1%' }],
    [' 0.5 % ', { keep: '0.5%' }],
    ['0,5%', { keep: '0.5%' }],
    ['0.01', { keep: '1%' }],
    ['.07', { keep: '7%' }],
    ['2662', { weights: 2662 }],
    ['2,662 weights', { weights: 2662 }],
    ['1 000 000', { weights: 1000000 }],
    ['40 kB', { bytes: '40 kB' }],
    ['1.5mb', { bytes: '1.5 MB' }],
    ['8192 bytes', { bytes: '8192 B' }],
    ['50% flops', { flops: '50%' }],
    ['50% of the FLOPs', { flops: '50%' }],
    ['100 neurons', { neurons: 100 }],
    ['1 neuron', { neurons: 1 }],
    ['100% neurons', { neurons: '100%' }],
    ['25% filters', { neurons: '25%' }],
    ['2:4', { pattern: '2:4' }],
    ['32 inputs a neuron', { fanIn: 32 }],
    ['at most 1,024 inputs per filter', { fanIn: 1024 }],
    ['1 connection of each unit', { fanIn: 1 }],
    ['fan-in 32', { fanIn: 32 }],
    ['Fan-in of at most 32', { fanIn: 32 }],
    ['keep 32 inputs of every neuron', { fanIn: 32 }],
  ])('%s', (text, budget) => {
    expect(first(text)).toEqual(budget);
  });

  test.each([
    ['', 'empty'],
    ['5 bananas', 'unreadable'],
    ['-3', 'unreadable'],
    ['0', 'unreadable'],
    ['NaN', 'unreadable'],
    ['1e999', 'unreadable'],
    ['101%', 'range'],
    ['4:2', 'range'],
    ['0:4', 'range'],
    ['0 inputs a neuron', 'range'],
    ['32 inputs', 'unreadable'],
    ['99999999999999999999', 'range'],
    ['0.0', 'range'],
  ])('%s is no budget', (text, problem) => {
    expect(first(text)).toBe(problem);
  });

  test('a bare share can mean weights, FLOPs or neurons, weights first', () => {
    const parsed = parseGoal('5%');
    expect('readings' in parsed && parsed.readings.map((reading) => reading.kind)).toEqual([
      'keep',
      'flops',
      'neurons',
    ]);
  });

  test('every reading is a budget a plan accepts, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^\d{1,9}([.,]\d{1,3})? ?(%|kB|MB|b|weights|neurons|flops|inputs a neuron)?$/),
          fc.stringMatching(
            /^(lose (at most )?|error |accuracy |within |keep |1\/)?\d{1,4}([.,]\d{1,8})? ?(%|x|points|x smaller|% worse|% accuracy|times)?$/,
          ),
        ),
        (text) => {
          const parsed = parseGoal(text);
          if ('readings' in parsed)
            for (const reading of parsed.readings) {
              const schema = 'budget' in reading ? Budget : ErrorBound;
              const value = 'budget' in reading ? reading.budget : reading.bound;
              expect(schema.safeParse(value).success, JSON.stringify(reading)).toBe(true);
            }
        },
      ),
      { seed: 1, numRuns: 3000 },
    );
  });

  test('every kind that can be typed is offered by its own sentence, and its example is read as it', () => {
    const typed = Object.entries(WORDS).filter(([, words]) => 'typed' in words);
    expect(typed.map(([kind]) => kind)).toEqual(['keep', 'weights', 'bytes', 'flops', 'neurons', 'pattern', 'fanIn']);
    const offers = typed.map(([kind]) => {
      const { example } = wordsOf(kind as Kind).typed!;
      const parsed = parseGoal(example);
      const reading = 'readings' in parsed ? parsed.readings[0]! : null;
      expect(reading?.kind, example).toBe(kind);
      const [sentence, value] = offerOf(reading!)!;
      return sentence.replace('{0}', value);
    });
    expect(offers).toEqual([
      'Keep 1% of the weights',
      'Keep 2,662 weights',
      'Fit into 40 kB on disk',
      'Keep 50% of the FLOPs',
      'Keep 100 neurons and filters',
      'Keep 2:4 (N of every M consecutive weights)',
      'Keep at most 32 inputs of each neuron and filter',
    ]);
  });

  test('what is given as an example can be typed', () => {
    for (const goals of [false, true])
      for (const text of examples(goals)) {
        const parsed = parseGoal(text);
        expect('readings' in parsed && (goals || 'budget' in parsed.readings[0]!), text).toBe(true);
      }
  });

  test('the suggestions are budgets', () => {
    for (const text of SUGGESTED)
      expect(first(text)).toEqual(text.startsWith('lose') ? { maxErrorIncrease: '0.5%' } : { keep: text });
  });
});
