/** Classes of Keras whose models are rejected. */
import type { LayerClass } from '../layerClass.js';

/** @param what to do to the data. */
const inData = (name: string, what: string): LayerClass => ({
  refused: `is ${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name} layer; ${what} in the data and save the model without it`,
});

const foreign = (name: string, what: string): LayerClass => ({
  refused: `is a ${name}: ${what}, which nothing but that library can run; replace it by built-in layers and save again`,
});

export const REFUSED = {
  Lambda: {
    refused: 'is a Lambda layer: Python bytecode, which nothing but that Python can run; replace it by built-in layers and save again',
  },
  TensorFlowOpLayer: { refused: 'is a raw TensorFlow operation; replace it by a built-in layer and save again' },
  TextVectorization: {
    refused: 'is a TextVectorization layer; vectorize the text in the data and save the model without it',
  },
  StringLookup: { refused: 'is a StringLookup layer; encode the strings in the data and save the model without it' },
  IntegerLookup: { refused: 'is an IntegerLookup layer; encode the values in the data and save the model without it' },
  CuDNNLSTM: { refused: 'is a CuDNNLSTM layer; load it in Keras, copy its weights into an LSTM and save again' },
  CuDNNGRU: {
    refused: 'is a CuDNNGRU layer; load it in Keras, copy its weights into a GRU with reset_after=True and save again',
  },
  Discretization: inData('Discretization', 'sort the values into bins'),
  Hashing: inData('Hashing', 'hash the values'),
  HashedCrossing: inData('HashedCrossing', 'cross the features'),
  IndexLookup: inData('IndexLookup', 'encode the values'),
  MelSpectrogram: inData('MelSpectrogram', 'compute the spectrograms'),
  STFTSpectrogram: inData('STFTSpectrogram', 'compute the spectrograms'),
  AutoContrast: inData('AutoContrast', 'stretch the contrast'),
  ContrastLimitedAdaptiveHistogramEqualization: inData('ContrastLimitedAdaptiveHistogramEqualization', 'equalize the images'),
  MaxNumBoundingBoxes: inData('MaxNumBoundingBoxes', 'limit the boxes'),
  Pipeline: { refused: 'is a Pipeline of layers; put its layers into the model one by one and save again' },
  ReversibleEmbedding: {
    refused: 'is a ReversibleEmbedding layer, one table for reading tokens and for scoring them; use an Embedding and a Dense layer and save again',
  },
  TFSMLayer: foreign('TFSMLayer', 'a TensorFlow SavedModel'),
  JaxLayer: foreign('JaxLayer', 'a Python function of JAX'),
  FlaxLayer: foreign('FlaxLayer', 'a Python module of Flax'),
  TorchModuleWrapper: foreign('TorchModuleWrapper', 'a Python module of PyTorch'),
  CategoryEncoding: {
    refused: 'is a CategoryEncoding layer, which TensorFlow.js loads with a wrong shape; one-hot encode in the data and save the model without it',
  },
} satisfies Record<string, LayerClass>; // prettier-ignore
