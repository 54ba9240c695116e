import { it } from 'vitest';
import { networkOf } from './sketch.js';
import { groupLines, reasonLines, tieLines } from './written.js';
const show = (name: string, n: ReturnType<typeof networkOf>) => {
  const g = groupLines(n);
  console.log(
    name,
    JSON.stringify({ groups: g, reasons: reasonLines(n), ties: g.map((_, i) => tieLines(n, i)) }, null, 1),
  );
};
it('shows', () => {
  show(
    'mlp',
    networkOf([[3]], (s, [x]) => s.dense('b', s.relu(s.dense('a', x!, 2)), 2)),
  );
  show(
    'residual',
    networkOf([[2, 2, 1]], (s, [x]) => {
      const a = s.batchNorm('bn', s.conv('a', x!, 2, { bias: false }));
      const y = s.at('add_1', () => s.add(a, s.conv('b', a, 2, { field: 3, pad: 1 })));
      return s.dense('c', s.reduce('Mean', y, [1, 2], false), 2);
    }),
  );
  show(
    'tied to output',
    networkOf([[3]], (s, [x]) => {
      const a = s.dense('a', x!, 2);
      return s.at('add_3', () => s.add(a, s.dense('b', a, 2)));
    }),
  );
  show(
    'concat split',
    networkOf([[3]], (s, [x]) => {
      const y = s.at('join', () => s.concat([s.dense('a', x!, 2), s.dense('b', x!, 2)], 1));
      const [p, q] = s.split(y, 1, 2);
      return s.dense(
        'd',
        s.at('mul', () => s.multiply(p!, s.unary('Sigmoid', q!))),
        1,
      );
    }),
  );
  show(
    'flatten',
    networkOf([[2, 2, 1]], (s, [x]) => s.dense('b', s.reshape(s.conv('a', x!, 2), [1, 8]), 2)),
  );
  show(
    'flatten nchw',
    networkOf([[2, 2, 1]], (s, [x]) =>
      s.dense('b', s.reshape(s.transpose(s.conv('a', x!, 2), [0, 3, 1, 2]), [1, 8]), 2),
    ),
  );
  show(
    'depthwise',
    networkOf([[2, 2, 1]], (s, [x]) =>
      s.reduce('Mean', s.conv('c', s.depthwise('b', s.conv('a', x!, 2), 2), 2), [1, 2], false),
    ),
  );
  show(
    'transposed',
    networkOf([[2, 2, 1]], (s, [x]) => s.conv('c', s.transposed('b', s.conv('a', x!, 2), 2), 1)),
  );
  show(
    'attention',
    networkOf([[3, 4]], (s, [x]) => s.attention('att', x!, 2, 2)),
  );
  show(
    'packed',
    networkOf([[3, 4]], (s, [x]) => s.attention('att', x!, 2, 2, true)),
  );
  show(
    'ln',
    networkOf([[3, 4]], (s, [x]) => s.dense('b', s.layerNorm('ln', s.dense('a', x!, 2)), 1)),
  );
  show(
    'gn',
    networkOf([[2, 2, 1]], (s, [x]) => s.conv('b', s.groupNorm('gn', s.conv('a', x!, 4), 2), 1)),
  );
  show(
    'softmax',
    networkOf([[3]], (s, [x]) =>
      s.dense(
        'b',
        s.at('soft', () => s.softmax(s.dense('a', x!, 2))),
        1,
      ),
    ),
  );
  show(
    'lstm',
    networkOf([[2, 3]], (s, [x]) => s.dense('b', s.lstm('lstm', x!, 2), 1)),
  );
  show(
    'gru',
    networkOf([[2, 3]], (s, [x]) => s.dense('b', s.gru('gru', x!, 2), 1)),
  );
  show(
    'grouped',
    networkOf([[2, 2, 1]], (s, [x]) => s.conv('c', s.grouped('g', s.conv('a', x!, 4), 4, 2), 1)),
  );
  show(
    'embedding',
    networkOf([[3]], (s, [x]) => s.dense('b', s.reduce('Mean', s.embedding('e', x!, 5, 2), [1], false), 1)),
  );
  show(
    'shuffle',
    networkOf([[2, 2, 1]], (s, [x]) => {
      const y = s.conv('a', x!, 6);
      const g = s.transpose(s.reshape(y, [1, 2, 2, 2, 3]), [0, 1, 2, 4, 3]);
      return s.conv('b', s.reshape(g, [1, 2, 2, 6]), 1);
    }),
  );
});
