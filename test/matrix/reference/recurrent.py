"""keras.io/api/layers/recurrent_layers (Keras 3), in float64."""
import numpy as np

import plain
from activations import activate
from convolution import convolved, each, window


def simple_cell(config, weights, x, states):
    kernel, recurrent = weights[:2]
    y = x @ kernel + states[0] @ recurrent + (weights[2] if config["use_bias"] else 0)
    y = activate(config["activation"], y)
    return y, [y]


def gru_cell(config, weights, x, states):
    """Gates z, r, h. With reset_after there is a second bias, and the reset gate works on the product with the state."""
    kernel, recurrent = weights[:2]
    h, u = states[0], config["units"]
    after = config.get("reset_after", True)
    bias = np.reshape(weights[2], (-1, 3 * u)) if config["use_bias"] else np.zeros((2, 3 * u))
    given = x @ kernel + bias[0]
    own = h @ recurrent[:, : 2 * u] + (bias[1][: 2 * u] if after else 0)
    gate = config["recurrent_activation"]
    z = activate(gate, given[:, :u] + own[:, :u])
    r = activate(gate, given[:, u : 2 * u] + own[:, u:])
    if after:
        inner = r * (h @ recurrent[:, 2 * u :] + bias[1][2 * u :])
    else:
        inner = (r * h) @ recurrent[:, 2 * u :]
    new = z * h + (1 - z) * activate(config["activation"], given[:, 2 * u :] + inner)
    return new, [new]


def gates(config, z, c):
    """i, f, c, o side by side."""
    i, f, g, o = np.split(z, 4, -1)
    gate = config["recurrent_activation"]
    c = activate(gate, f) * c + activate(gate, i) * activate(config["activation"], g)
    h = activate(gate, o) * activate(config["activation"], c)
    return h, [h, c]


def lstm_cell(config, weights, x, states):
    z = x @ weights[0] + states[0] @ weights[1] + (weights[2] if config["use_bias"] else 0)
    return gates(config, z, states[1])


def conv_lstm_cell(config, weights, x, states):
    z = convolved(x, weights[0], window(config, 2)) + (weights[2] if config["use_bias"] else 0)
    z = z + convolved(states[0], weights[1], (each(config["kernel_size"], 2), [1, 1], [1, 1], "same"))
    return gates(config, z, states[1])


CELLS = {"SimpleRNNCell": (simple_cell, 1), "GRUCell": (gru_cell, 1), "LSTMCell": (lstm_cell, 2)}


def weights_of(cell):
    return 3 if cell["config"]["use_bias"] else 2


def run(config, step, states, x):
    order = range(x.shape[1])
    outputs = []
    for t in reversed(order) if config.get("go_backwards") else order:
        y, states = step(x[:, t], states)
        outputs.append(y)
    return np.stack(outputs, 1) if config.get("return_sequences") else outputs[-1]


def recurrent(cell, count):
    def layer(config, weights, xs, training):
        states = [np.zeros((len(xs[0]), config["units"]))] * count
        return run(config, lambda x, s: cell(config, weights, x, s), states, xs[0])

    return layer


def rnn(config, weights, xs, training):
    cells = config["cell"]["config"]["cells"] if config["cell"]["class_name"] == "StackedRNNCells" else [config["cell"]]

    def step(x, states):
        at, new = 0, []
        for cell, own in zip(cells, states):
            count = weights_of(cell)
            x, own = CELLS[cell["class_name"]][0](cell["config"], weights[at : at + count], x, own)
            new.append(own)
            at += count
        return x, new

    states = [[np.zeros((len(xs[0]), c["config"]["units"]))] * CELLS[c["class_name"]][1] for c in cells]
    return run(config, step, states, xs[0])


def conv_lstm(config, weights, xs, training):
    first = config.get("data_format") == "channels_first"
    x = np.moveaxis(xs[0], 2, -1) if first else xs[0]
    frame = convolved(x[:, 0], weights[0], window(config, 2))
    states = [np.zeros((*frame.shape[:-1], config["filters"]))] * 2
    y = run(config, lambda v, s: conv_lstm_cell(config, weights, v, s), states, x)
    return np.moveaxis(y, -1, -3) if first else y


def bidirectional(config, weights, xs, training):
    """The backward layer's sequence is turned round again; merge_mode null gives both, which a Keras file lists as two outputs."""
    inner = config["layer"]
    half = len(weights) // 2
    ways = [dict(inner["config"]), {**inner["config"], "go_backwards": not inner["config"].get("go_backwards", False)}]
    a, b = (LAYERS[inner["class_name"]](c, w, xs, training) for c, w in zip(ways, (weights[:half], weights[half:])))
    if inner["config"].get("return_sequences"):
        b = b[:, ::-1]
    mode = config["merge_mode"]
    return {"concat": lambda: np.concatenate([a, b], -1), "sum": lambda: a + b, "ave": lambda: (a + b) / 2, "mul": lambda: a * b}[mode]()


def time_distributed(config, weights, xs, training):
    inner = config["layer"]
    x = xs[0]
    layer = ALL[inner["class_name"]]
    y = layer(inner["config"], weights, [x.reshape(-1, *x.shape[2:])], training)
    return y.reshape(*x.shape[:2], *y.shape[1:])


LAYERS = {
    "SimpleRNN": recurrent(simple_cell, 1),
    "GRU": recurrent(gru_cell, 1),
    "LSTM": recurrent(lstm_cell, 2),
    "RNN": rnn,
    "ConvLSTM2D": conv_lstm,
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
}
import attention  # noqa: E402
import convolution  # noqa: E402

ALL = {**plain.LAYERS, **convolution.LAYERS, **attention.LAYERS, **LAYERS}
