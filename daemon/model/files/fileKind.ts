/** What a file or a folder is that is no model here: said by its content, and by its name where content says nothing. */

import { isOnnxHead } from '../../onnx/file/signature.js';

/** A kind of file, as messages name it. */
export interface FileKind {
  /** With its article: "a TensorFlow Lite model". */
  readonly what: string;
  /** What to do where a model is wanted. */
  readonly asModel: string;
  /** What to do where data is wanted. */
  readonly asData: string;
}

/** So many bytes at the start of a file show its kind. */
export const KIND_BYTES = 512;

const NO_MODEL = 'name an ONNX file, a Keras .keras or .h5 file, or a model.json of TensorFlow.js';
const NO_DATA = 'save the data as CSV, .npz or .parquet';
const KERAS = 'open the ONNX, Keras or TensorFlow.js model that it was made of';

const model = (what: string, asModel: string): FileKind => ({ what, asModel, asData: 'name the data, not a model' });
const data = (what: string, asData: string): FileKind => ({ what, asModel: NO_MODEL, asData });
const PICKLE = 'a pickle is a program, and is not run';

/** What leads from a network in Python here: with BatchNormalization as it is trained, not folded into the weights. */
const EXPORT =
  'torch.onnx.export(model, example_inputs, "model.onnx", training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)';
const TO_ONNX = (what: string) => `write the network in Python with ${EXPORT}, and ${what}`;

const PYTORCH = model('a PyTorch file', `${PICKLE}: ${TO_ONNX('name that file')}`);
const TORCH_SCRIPT = model(
  'a TorchScript program, made for inference',
  `it is not run: ${TO_ONNX('name that file; model is the module that it was made of')}`,
);
const SAVED_MODEL = model(
  'a TensorFlow SavedModel',
  'convert it in Python with tf2onnx (python -m tf2onnx.convert --saved-model FOLDER --output model.onnx), or load it with tf.keras.models.load_model (Keras 2) and save it as .h5',
);
const TFLITE = model(
  'a TensorFlow Lite model, made for inference',
  `${KERAS}, or convert it in Python (python -m tf2onnx.convert --tflite FILE --output model.onnx), if it is not quantized`,
);
const COREML = model('a Core ML model, made for inference', KERAS);

/** What readers of models take themselves, and complain of with more to say. */
const ONNX = model('an ONNX model', NO_MODEL);
const HDF5: FileKind = {
  what: 'an HDF5 file',
  asModel: NO_MODEL,
  asData: 'read its arrays with h5py and save them with numpy.savez',
};
const KERAS_MODEL = model('a Keras model', NO_MODEL);
const ZIP = data('a zip archive', 'unpack it');
const READ_AS_MODELS: readonly (FileKind | undefined)[] = [HDF5, KERAS_MODEL, ZIP, ONNX];

export const NPZ = data('arrays of NumPy (.npz)', NO_DATA);

interface Rule {
  readonly kind: FileKind;
  readonly test: (head: string, name: string) => boolean;
}

const starts =
  (...magic: readonly string[]) =>
  (head: string): boolean =>
    magic.some((one) => head.startsWith(one));
const named =
  (ending: RegExp) =>
  (_: string, name: string): boolean =>
    ending.test(name);

/** Before JSON: a length of eight bytes, as of SafeTensors. */
const SAFETENSORS = /^[^]{4}\0{4}\{\s*"/;
/** The first member of a zip, whose name begins at byte 30. */
const member =
  (pattern: RegExp) =>
  (head: string): boolean =>
    head.startsWith('PK\x03\x04') && pattern.test(head.slice(30, 30 + head.charCodeAt(26) + 256 * head.charCodeAt(27)));
/* eslint-disable no-control-regex -- the bytes of headers. */
/** Protocol 2 and later begin with their number; the numbers of PyTorch's older files follow. */
const PICKLED = /^\x80[\x02-\x05]/;

/* Content first; what only a name shows comes last. */
const RULES: readonly Rule[] = [
  { kind: TFLITE, test: (head) => head.slice(4, 8) === 'TFL3' },
  // Tensors come first in it; in files of torch.save they come behind data.pkl.
  { kind: TORCH_SCRIPT, test: (head) => member(/\/data\/\d+$/)(head) || (member(/\/data\.pkl$/)(head) && head.includes('c__torch__')) },
  { kind: PYTORCH, test: member(/(^|\/)(data\.pkl|constants\.pkl|\.data\/|byteorder|version)/) },
  { kind: PYTORCH, test: (head) => PICKLED.test(head) && /\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19|torch/.test(head) },
  {
    kind: model('a joblib file of scikit-learn', `${PICKLE}: a Keras or TensorFlow.js network is needed`),
    test: (head) => PICKLED.test(head) && /sklearn|joblib/.test(head),
  },
  {
    kind: { what: 'a Python pickle', asModel: `${PICKLE}: save the network as .keras or .h5`, asData: `${PICKLE}: save the arrays with numpy.savez` },
    test: (head) => PICKLED.test(head),
  },
  {
    kind: model('a SafeTensors file, which holds weights alone', `load them into their network in Python (model.load_state_dict(safetensors.torch.load_file(FILE))), then ${TO_ONNX('name that file')}`),
    test: (head) => SAFETENSORS.test(head),
  },
  { kind: model('a GGUF language model, made for inference', `its weights are mostly quantized: ${TO_ONNX('name that file; model is the network that it was made of')}`), test: starts('GGUF', 'lmgg', 'tjgg', 'fmgg') },
  { kind: data('an array of NumPy', NO_DATA), test: starts('\x93NUMPY') },
  { kind: NPZ, test: member(/\.npy$/) },
  { kind: data('an Excel workbook', 'save its sheet as CSV'), test: member(/^(\[Content_Types\]\.xml|_rels\/|xl\/|docProps\/)/) },
  { kind: data('an Excel workbook or another Office file', 'save its sheet as CSV'), test: starts('\xd0\xcf\x11\xe0') },
  { kind: data('a parquet table', NO_DATA), test: starts('PAR1') },
  { kind: data('an Arrow or Feather table', 'save it as .parquet'), test: starts('ARROW1', 'FEA1') },
  { kind: data('a SQLite database', 'save the table as CSV'), test: starts('SQLite format 3') },
  { kind: data('a MATLAB file', 'load it with scipy.io.loadmat and save the arrays with numpy.savez'), test: starts('MATLAB 5.0') },
  { kind: data('an ARFF table', 'save it as CSV'), test: (head) => /^(\s*%.*\n|\s*\n)*\s*@relation/i.test(head) },
  { kind: data('an image', 'images are read from a folder with one sub-folder per class'), test: starts('\x89PNG', '\xff\xd8\xff', 'GIF8') },
  { kind: data('a gzip archive', 'unpack it'), test: starts('\x1f\x8b') },
  { kind: data('a 7-zip, rar, xz, zstd or bzip2 archive', 'unpack it'), test: starts('7z\xbc\xaf', 'Rar!', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'BZh') },
  { kind: data('a tar archive', 'unpack it'), test: (head) => head.slice(257, 262) === 'ustar' },
  { kind: HDF5, test: starts('\x89HDF\r\n\x1a\n') },
  { kind: KERAS_MODEL, test: member(/^(config\.json|metadata\.json|model\.weights\.h5)$/) },
  { kind: ZIP, test: starts('PK\x03\x04') },
  { kind: model('an OpenVINO model', KERAS), test: (head) => /^\s*(<\?xml[^>]*>\s*)?<net /.test(head) },
  { kind: ONNX, test: (head) => isOnnxHead(Buffer.from(head, 'latin1')) },
  { kind: ONNX, test: named(/\.onnx$/i) },
  { kind: COREML, test: named(/\.ml(model|package|modelc)$/i) },
  { kind: SAVED_MODEL, test: named(/saved_model\.pb(txt)?$/i) },
  { kind: model('a frozen TensorFlow graph', `${KERAS}, or convert it in Python (python -m tf2onnx.convert --graphdef FILE --inputs NAMES --outputs NAMES --output model.onnx)`), test: named(/\.pb(txt)?$/i) },
  { kind: model('a part of a TensorFlow checkpoint', 'load it into its network in Keras and save that as .keras'), test: named(/\.(ckpt|index|data-\d{5}-of-\d{5})$/i) },
  { kind: model('a Caffe or Darknet file', NO_MODEL), test: named(/\.(caffemodel|prototxt|weights|cfg)$/i) },
  { kind: data('TFRecords', 'read them in TensorFlow and save the arrays with numpy.savez'), test: named(/\.tfrecords?$/i) },
  { kind: data('a table or a list in text', NO_DATA), test: named(/\.(csv|tsv|jsonl|ya?ml|md)$/i) },
]; // prettier-ignore

/**
 * What a file is, by its first bytes and its name; null for what may well be a model or data in text.
 * @param head the first KIND_BYTES bytes, or all there are.
 */
export function fileKind(head: Uint8Array, name: string): FileKind | null {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, KIND_BYTES)).toString('latin1');
  return RULES.find(({ test }) => test(text, name))?.kind ?? null;
}

/** Whether a file is an ONNX model: by its first bytes, or by its name where they say nothing else. */
export const isOnnx = (head: Uint8Array, name: string): boolean => fileKind(head, name) === ONNX;

/** As the end of a sentence: what the file is instead of a model, and the way out; null where it may be one. */
export function noModel(head: Uint8Array, name: string): string | null {
  if (/^(\xef\xbb\xbf)?\s*\{/.test(Buffer.from(head).toString('latin1'))) return null;
  const kind = fileKind(head, name);
  if (READ_AS_MODELS.includes(kind ?? undefined)) return null;
  if (kind) return `is ${kind.what}; ${kind.asModel}`;
  if (head.length > 0 && /\.(h5|hdf5|keras)$/i.test(name))
    return 'is no Keras file, though it is named so (its first bytes are neither those of HDF5 nor of a zip); copy or save it again';
  if (head.includes(0)) return `is a binary file of no kind that is known here; ${NO_MODEL}`;
  const isText =
    head.length > 0 && !/\.json$/i.test(name) && !/^(\xef\xbb\xbf)?\s*[[{]/.test(Buffer.from(head).toString('latin1'));
  return isText ? `is text, but no JSON; ${NO_MODEL}` : null;
}

/** The same of a folder. @param names of what is in it. */
export function noModelFolder(names: readonly string[], name: string): string {
  const kind = folderKind(names, name);
  const models = names.filter((member) => /\.(keras|h5|hdf5|onnx)$/i.test(member));
  if (kind) return `is a folder: ${kind.what}; ${kind.asModel}`;
  if (names.includes('model.json') || models.length === 0) return 'is a folder; name the model.json inside it';
  return `is a folder; name the model inside it, such as ${JSON.stringify(models.sort()[0])}`;
}

/** What a folder is, by the names in it. */
function folderKind(names: readonly string[], name: string): FileKind | null {
  if (names.some((member) => /^saved_model\.pb(txt)?$/.test(member))) return SAVED_MODEL;
  if (/\.ml(package|modelc)$/i.test(name)) return COREML;
  if (names.some((member) => /^pytorch_model.*\.bin$/.test(member))) return PYTORCH;
  return null;
}
