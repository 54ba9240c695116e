/** Classes of Keras whose models are rejected. */
import type { LayerClass } from '../layerClass.js';

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
  CategoryEncoding: {
    refused: 'is a CategoryEncoding layer, which TensorFlow.js loads with a wrong shape; one-hot encode in the data and save the model without it',
  },
} satisfies Record<string, LayerClass>; // prettier-ignore
