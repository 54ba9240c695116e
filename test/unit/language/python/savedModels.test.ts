import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { maskPython } from '../../../../daemon/language/python/maskPython.js';
import { savedModels } from '../../../../daemon/language/python/savedModels.js';

const paths = (source: string) => savedModels(source).map(({ path }) => path);

describe('the model files that Python saves', () => {
  it.each([
    ["model.save('net.keras')", 'net.keras'],
    ['self.model.save( r"out\\net.h5" , overwrite=True)', 'out\\net.h5'],
    ["model.save(filepath='a b.hdf5')", 'a b.hdf5'],
    ["tf.keras.models.save_model(model, 'net.h5')", 'net.h5'],
    ["keras.saving.save_model(model, filepath='net.keras')", 'net.keras'],
    ['save_model(\n    build(1, (2, 3)),  # the model, then its "path"\n    "net.keras",\n)', 'net.keras'],
    ["tfjs.converters.save_keras_model(model, 'web/net/')", 'web/net/model.json'],
    ["ModelCheckpoint('best.keras', monitor='val_loss')", 'best.keras'],
    ["torch.onnx.export(net, torch.zeros(1, 3), 'net.onnx', opset_version=17)", 'net.onnx'],
    ["torch.onnx.export(net, x, f='net.onnx')", 'net.onnx'],
    ["onnx.save(model, 'net.onnx')", 'net.onnx'],
    ["PATH = 'net.keras'\nmodel.save(PATH)", 'net.keras'],
    ["model.save('it\\'s.keras')", "it's.keras"],
    ["model.save('''net.keras''')", 'net.keras'],
  ])('%j', (source, path) => {
    expect(paths(source)).toEqual([path]);
  });

  it.each([
    "# model.save('net.keras')",
    'print("model.save(\'net.keras\')")',
    "'''\nmodel.save('net.keras')\n'''",
    "np.save('data.npy')",
    "plt.save('picture.png')",
    "model.save(f'net-{epoch}.keras')",
    "model.save('net' + '.keras')",
    "model.save(os.path.join('a', 'net.keras'))",
    "model.save(b'net.keras')",
    "model.save('net\\x2ekeras')",
    'model.save(path)',
    "path = 'a.keras'\npath = 'b.keras'\nmodel.save(path)",
    "path = 'a' + '.keras'\nmodel.save(path)",
    "path += 'a.keras'\nmodel.save(path)",
    "call(path='a.keras')\nmodel.save(path)",
    "def save_model(model, path='net.keras'): pass",
    "model.save('net.keras'",
    'model.save(',
    'torch.onnx.export(net, x)',
    "model.save('a.keras' if x else 'b.keras')",
  ])('nothing in %j', (source) => {
    expect(paths(source)).toEqual([]);
  });

  it('is at the line of the call, in the order of the text', () => {
    const source = "save_model(m, 'b.h5')\nx = 1\nmodel.save('a.keras')\n";
    expect(savedModels(source)).toEqual([
      { offset: 0, path: 'b.h5' },
      { offset: source.indexOf('model.save'), path: 'a.keras' },
    ]);
  });

  it('survives every text, and masks it to the same length and lines', () => {
    const piece = fc.constantFrom('"', "'", '"""', "'''", '\\', '#', '\n', 'f', 'r', '(', ')', ',', '=', 'm.save(', 'é', 'a', '{', '}', "'a.h5'"); // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const source = pieces.join('');
        const { code, literals } = maskPython(source);
        expect(code.length).toBe(source.length);
        expect(code.split('\n').map((line) => line.length)).toEqual(source.split('\n').map((line) => line.length));
        for (const { start, end } of literals.values()) expect(start <= end && end <= source.length).toBe(true);
        savedModels(source);
      }),
      { numRuns: 2000 },
    );
  });
});
