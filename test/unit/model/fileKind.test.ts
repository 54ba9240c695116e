import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { UserError } from '../../../daemon/protocol/errors.js';

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
const INFERENCE = 'export it from the Keras or TensorFlow.js model that it was made of, and use that one';
const NAME_A_MODEL = 'name a model.json of TensorFlow.js, or a Keras .keras or .h5 file';
const PYTORCH =
  'is a PyTorch file; a pickle is a program, and is not run: build the network in Keras, copy the weights into it and save it as .keras';
const SAVED_MODEL =
  'a TensorFlow SavedModel; load it in TensorFlow with tf.keras.models.load_model (Keras 2) and save it as .h5';

describe('what a file is that is no model here', () => {
  it.each([
    ['net.tflite', '\x1c\0\0\0TFL3\x14\0', `is a TensorFlow Lite model, made for inference; ${INFERENCE}`],
    ['renamed.json', '\x1c\0\0\0TFL3\x14\0', `is a TensorFlow Lite model, made for inference; ${INFERENCE}`],
    ['net.onnx', '\x08\x08\x12\x07pytorch\x1a\x051.13', `is an ONNX model, made for inference; ${INFERENCE}`],
    ['onnx-without-its-name', '\x08\x08\x12\x07pytorch\x1a\x051.13', `is an ONNX model, made for inference; ${INFERENCE}`],
    ['net.pt', zip('archive/data.pkl'), PYTORCH],
    ['old.pth', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M', PYTORCH],
    ['model.pkl', '\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.', 'is a Python pickle; a pickle is a program, and is not run: save the network as .keras or .h5'],
    ['forest.joblib', '\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x10sklearn.ensemble', 'is a joblib file of scikit-learn; a pickle is a program, and is not run: a Keras or TensorFlow.js network is needed'],
    ['model.safetensors', 'x\0\0\0\0\0\0\0{"w":{"dtype":"F32"}}', 'is a SafeTensors file, which holds weights alone; load them into their network in Keras and save it as .keras'],
    ['llama.gguf', 'GGUF\x03\0\0\0', `is a GGUF language model; ${NAME_A_MODEL}`],
    ['net.mlmodel', '\x08\x05\x12\x10', `is a Core ML model, made for inference; ${INFERENCE}`],
    ['dir/saved_model.pb', '\x08\x01\x12\xff', `is ${SAVED_MODEL}`],
    ['frozen.pb', '\x0a\x10\x0a\x05', `is a frozen TensorFlow graph; ${INFERENCE}`],
    ['model.xml', '<?xml version="1.0"?>\n<net name="x">', `is an OpenVINO model; ${INFERENCE}`],
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
    expect(await refusal('net.mlpackage')).toBe(`is a folder: a Core ML model, made for inference; ${INFERENCE}`);
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
