"""keras.io/api/losses (Keras 3): each loss x its settings, on a Dense layer; the mean over the batch, in float64."""
import numpy as np

from activations import sigmoid, softmax
from cases import layer
from network import BATCH, Network
from values import values

EPSILON = 1e-7


def clipped(p):
    return np.clip(p, EPSILON, 1 - EPSILON)


def smoothed(t, share, floor):
    return t * (1 - share) + share * floor


def categorical(p, t, from_logits=False, label_smoothing=0.0):
    t = smoothed(t, label_smoothing, 1 / t.shape[-1])
    p = softmax(p) if from_logits else p / p.sum(-1, keepdims=True)
    return float(np.mean(-(t * np.log(clipped(p))).sum(-1)))


def binary(p, t, from_logits=False, label_smoothing=0.0):
    t = smoothed(t, label_smoothing, 0.5)
    p = clipped(sigmoid(p) if from_logits else p)
    return float(np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)))


def huber(p, t, delta=1.0):
    e = np.abs(p - t)
    return float(np.mean(np.where(e <= delta, e * e / 2, delta * e - delta * delta / 2)))


LOSSES = {
    "MeanSquaredError": lambda p, t: float(np.mean((p - t) ** 2)),
    "MeanAbsoluteError": lambda p, t: float(np.mean(np.abs(p - t))),
    "Huber": huber,
    "LogCosh": lambda p, t: float(np.mean(np.log(np.cosh(p - t)))),
    "Poisson": lambda p, t: float(np.mean(p - t * np.log(p + EPSILON))),
    "KLDivergence": lambda p, t: float(np.mean((np.clip(t, EPSILON, 1) * np.log(np.clip(t, EPSILON, 1) / np.clip(p, EPSILON, 1))).sum(-1))),
    "MeanAbsolutePercentageError": lambda p, t: float(np.mean(100 * np.abs((p - t) / np.maximum(np.abs(t), EPSILON)))),
    "MeanSquaredLogarithmicError": lambda p, t: float(np.mean((np.log(np.maximum(p, EPSILON) + 1) - np.log(np.maximum(t, EPSILON) + 1)) ** 2)),
    "CategoricalCrossentropy": categorical,
    "SparseCategoricalCrossentropy": categorical,
    "BinaryCrossentropy": binary,
}

# Loss, activation of the output, settings. Without a reference: losses that another takes the place of, which a note says.
SETTINGS = [
    ("MeanSquaredError", "linear", {}), ("MeanSquaredError", "sigmoid", {}), ("MeanAbsoluteError", "linear", {}),
    ("Huber", "linear", {"delta": 1.0}), ("Huber", "linear", {"delta": 0.2}), ("Huber", "tanh", {"delta": 0.5}),
    ("CategoricalCrossentropy", "softmax", {}), ("CategoricalCrossentropy", "softmax", {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", "linear", {"from_logits": True}), ("CategoricalCrossentropy", "linear", {"from_logits": True, "label_smoothing": 0.2}),
    ("CategoricalCrossentropy", "sigmoid", {}), ("CategoricalCrossentropy", "sigmoid", {"label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", "softmax", {}), ("SparseCategoricalCrossentropy", "linear", {"from_logits": True}),
    ("BinaryCrossentropy", "sigmoid", {}), ("BinaryCrossentropy", "sigmoid", {"label_smoothing": 0.1}),
    ("BinaryCrossentropy", "linear", {"from_logits": True}), ("BinaryCrossentropy", "softmax", {}),
    ("LogCosh", "linear", {}), ("KLDivergence", "softmax", {}), ("Poisson", "softplus", {}), ("MeanSquaredLogarithmicError", "relu", {}),
    *[(name, "sigmoid", {}) for name in ("KLDivergence", "Poisson", "LogCosh", "Hinge", "SquaredHinge", "CategoricalHinge", "CosineSimilarity", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "BinaryFocalCrossentropy")],
]  # fmt: skip


def loss_cases(digits):
    for name, activation, settings in SETTINGS:
        config = {"name": "loss", "reduction": "sum_over_batch_size", **settings}
        object_ = {"module": "keras.losses", "class_name": name, "config": config, "registered_name": None}
        chain = [layer("Dense", [[(4, 3)], [(3,)]], units=3, activation=activation, use_bias=True)]
        network = Network([[4]], chain, True, 0, {"loss": object_, "metrics": None, "optimizer": "sgd"})
        title = f"{name} {activation}" + "".join(f" {k} {v}" for k, v in settings.items())
        out = {"id": title, "shapes": [[4]], "whole": 0, "config": network.config(), "weights": network.specs}
        if name in LOSSES:
            classes = [2, 0, 1]
            target = np.eye(3)[classes] if "Crossentropy" in name else values((BATCH, 3), 99)
            output = network.forward(network.weights())
            loss = lambda y: LOSSES[name](y, target, **settings)
            out |= {"target": digits(target), "loss": digits([loss(output)])[0], "gradients": [digits(g, 6) for g in network.differences(loss)]}
            # keras.src.trainers.compile_utils, get_metric: "accuracy" of one-hot targets is that of the largest output.
            if "Crossentropy" in name:
                out["error"] = float(np.mean(output.argmax(-1) != classes))
        yield out
