import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isOnnx, KIND_BYTES } from '../../../daemon/model/files/fileKind.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { fixture, fixtures } from '../onnx/file/protos.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lc kinds ')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, content: string) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), Buffer.from(content, 'latin1'));
};
/** The whole message, without the path in front. */
const refusal = async (name: string): Promise<string> => {
  const error = await readModel(name, { workspace: folder }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message.startsWith(`${join(folder, name)} `)).toBe(true);
  return message.slice(join(folder, name).length + 1);
};

/** A zip's first local header, as writers of zips without compression begin. */
const zip = (member: string) => `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(member.length)}\0\0\0${member}`;
const ORIGINAL = 'open the ONNX, Keras or TensorFlow.js model that it was made of';
const NAME_A_MODEL = 'name an ONNX file, a Keras .keras or .h5 file, or a model.json of TensorFlow.js';
const EXPORT =
  'write the network in Python with torch.onnx.export(model, example_inputs, "model.onnx", training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False), and name that file';
const PYTORCH = `is a PyTorch file; a pickle is a program, and is not run: ${EXPORT}`;
const TORCH_SCRIPT = `is a TorchScript program, made for inference; it is not run: ${EXPORT}; model is the module that it was made of`;
const SAVED_MODEL =
  'a TensorFlow SavedModel; convert it in Python with tf2onnx (python -m tf2onnx.convert --saved-model FOLDER --output model.onnx), or load it with tf.keras.models.load_model (Keras 2) and save it as .h5';
const TFLITE = `is a TensorFlow Lite model, made for inference; ${ORIGINAL}, or convert it in Python (python -m tf2onnx.convert --tflite FILE --output model.onnx), if it is not quantized`;

describe('what a file is that is no model here', () => {
  it.each([
    ['net.tflite', '\x1c\0\0\0TFL3\x14\0', TFLITE],
    ['renamed.json', '\x1c\0\0\0TFL3\x14\0', TFLITE],
    ['net.pt', zip('archive/data.pkl'), PYTORCH],
    ['script.pt', zip('net/data/0'), TORCH_SCRIPT],
    ['scripted.pt', `${zip('net/data.pkl')}\x80\x02c__torch__.torch.nn`, TORCH_SCRIPT],
    ['old.pth', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M', PYTORCH],
    ['model.pkl', '\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.', 'is a Python pickle; a pickle is a program, and is not run: save the network as .keras or .h5'],
    ['forest.joblib', '\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x10sklearn.ensemble', 'is a joblib file of scikit-learn; a pickle is a program, and is not run: a Keras or TensorFlow.js network is needed'],
    ['model.safetensors', 'x\0\0\0\0\0\0\0{"w":{"dtype":"F32"}}', `is a SafeTensors file, which holds weights alone; load them into their network in Python (model.load_state_dict(safetensors.torch.load_file(FILE))), then ${EXPORT}`],
    ['llama.gguf', 'GGUF\x03\0\0\0', `is a GGUF language model, made for inference; its weights are mostly quantized: ${EXPORT}; model is the network that it was made of`],
    ['net.mlmodel', '\x08\x05\x12\x10', `is a Core ML model, made for inference; ${ORIGINAL}`],
    ['dir/saved_model.pb', '\x08\x01\x12\xff', `is ${SAVED_MODEL}`],
    ['frozen.pb', '\x0a\x10\x0a\x05', `is a frozen TensorFlow graph; ${ORIGINAL}, or convert it in Python (python -m tf2onnx.convert --graphdef FILE --inputs NAMES --outputs NAMES --output model.onnx)`],
    ['model.xml', '<?xml version="1.0"?>\n<net name="x">', `is an OpenVINO model; ${ORIGINAL}`],
    ['data.npz', zip('x.npy'), `is arrays of NumPy (.npz); ${NAME_A_MODEL}`],
    ['data.csv', 'a,b\n1,2\n', `is a table or a list in text; ${NAME_A_MODEL}`],
    ['photo.h5', '\x89PNG\r\n\x1a\n', `is an image; ${NAME_A_MODEL}`],
    ['model.json.gz', '\x1f\x8b\x08', `is a gzip archive; ${NAME_A_MODEL}`],
    ['table.h5', 'no HDF5 at all', 'is no Keras file, though it is named so (its first bytes are neither those of HDF5 nor of a zip); copy or save it again'],
    ['zeros.keras', '\0\0\0\0', 'is no Keras file, though it is named so (its first bytes are neither those of HDF5 nor of a zip); copy or save it again'],
    ['page.pt', '<div tal:content="x"/>', `is text, but no JSON; ${NAME_A_MODEL}`],
    ['noise.bin', '\x01\x02\0\x03', `is a binary file of no kind that is known here; ${NAME_A_MODEL}`],
  ])('%s', async (name, content, sentence) => {
    write(name, content);
    expect(await refusal(name)).toBe(sentence);
  }); // prettier-ignore

  it('folders: a SavedModel, Core ML, a model inside, none, and one that is not there', async () => {
    write('saved/saved_model.pb', '\x08\x01');
    write('saved/variables/variables.index', '');
    expect(await refusal('saved')).toBe(`is a folder: ${SAVED_MODEL}`);
    write('net.mlpackage/Manifest.json', '{}');
    expect(await refusal('net.mlpackage')).toBe(`is a folder: a Core ML model, made for inference; ${ORIGINAL}`);
    write('inside/my net.keras', 'PK');
    expect(await refusal('inside')).toBe('is a folder; name the model inside it, such as "my net.keras"');
    write('web/model.json', '{}');
    expect(await refusal('web')).toBe('is a folder; name the model.json inside it');
    expect(await refusal('no/where/model.json')).toBe(
      `does not exist: there is no folder ${join(folder, 'no')}; check the path of the model`,
    );
  });

  it('JSON is a model whatever the file is called, and a Keras zip is none of the kinds', async () => {
    write('topology.csv', '{"class_name": "Sequential", "config": 1}');
    await expect(readModel('topology.csv', { workspace: folder })).rejects.toThrow(/layers|config/);
    write('broken.keras', zip('config.json'));
    await expect(readModel('broken.keras', { workspace: folder })).rejects.toThrow(/damaged zip/);
  });
});

describe('an ONNX model, among other protocol buffers', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  it.each([
    ['PyTorch: the version, the producer, a graph of a node', '\x08\x08\x12\x07pytorch\x1a\x061.13.0:\x40\x0a\x20\x0a\x01x\x12\x01y'],
    ['a graph with its name first', '\x08\x07:\x20\x12\x04main\x2a\x10'],
    ['operator sets before the graph', '\x08\x09B\x02\x10\x11:\x20\x0a\x10\x0a\x01x'],
    ['a long description before the graph', `\x08\x08\x12\x08tf2onnx \x32\xff\x7f${'text '.repeat(100)}`],
  ])('%s', (_, text) => {
    expect(isOnnx(bytes(text), 'a file')).toBe(true);
  }); // prettier-ignore

  it.each([
    ['Core ML: a description in field 2', '\x08\x05\x12\x10\x0a\x05\x0a\x01x\x1a\x00\x52\x05\x0a\x01y\x1a\x00'],
    ['a SavedModel: a meta graph in field 2', '\x08\x01\x12\xa0\x20\x0a\x20\x12\x04'],
    ['a frozen graph: nodes in field 1', '\x0a\x10\x0a\x05input\x12\x0bPlaceholder'],
    ['a TensorProto: dims, a kind, its name', '\x08\x02\x10\x01\x42\x01wJ\x08\0\0\0\0\0\0\0\0'],
    ['a version and nothing else', '\x08\x08'],
    ['a graph of other fields', '\x08\x08:\x10\x08\x01\x10\x02'],
    ['a node of other fields', '\x08\x08:\x10\x0a\x08\x08\x01'],
    ['fields that a model does not have', '\x08\x08\x12\x01a\x4a\x01b'],
    ['nothing', ''],
  ])('not %s', (_, text) => {
    expect(isOnnx(bytes(text), 'a file')).toBe(false);
  }); // prettier-ignore

  it('every ONNX file of the fixtures, whatever it is called', () => {
    for (const name of fixtures) expect(isOnnx(fixture(name).subarray(0, KIND_BYTES), 'a file'), name).toBe(true);
  });
});
