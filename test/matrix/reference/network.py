"""A network as Keras 3 writes it, and what it computes: outputs, the loss, its finite differences, moving averages."""
import re

import numpy as np

import plain
from recurrent import ALL
from values import values

BATCH = 3


def snake(name):
    """keras/src/utils/naming.py, to_snake_case."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def tensor_of(value):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": [value, 0, 0]}}


def serialized(class_name, config, name):
    """An entry of `layers`; wrapped layers and cells are given as {class_name, config} and completed."""
    out = {"name": name, "trainable": True, "dtype": "float32", **config}
    out.pop("call", None)
    for key in ("layer", "cell"):
        if key in config:
            inner = config[key]
            out[key] = serialized(inner["class_name"], inner["config"], inner.get("name", f"{name}_{key}"))
    if "cells" in config:
        out["cells"] = [serialized(c["class_name"], c["config"], f"{name}_{i}") for i, c in enumerate(config["cells"])]
    return {"module": "keras.layers", "class_name": class_name, "config": out, "registered_name": None}


def some(size, most=24):
    """Of the elements of a weight those whose gradient is compared: all of a few, else evenly spread ones."""
    return range(0, size, -(-size // most))


class Network:
    """Inputs, each through a Dense layer of its own (`front`), so that gradients of inputs show; then a chain of layers."""

    def __init__(self, shapes, chain, front, whole=0, compile_config=None):
        self.shapes, self.whole, self.compile = shapes, whole, compile_config
        self.nodes, self.specs, counts = [], [], {}

        def add(class_name, config, inputs, weights):
            base = snake(class_name)
            counts[base] = counts.get(base, -1) + 1
            group = base if counts[base] == 0 else f"{base}_{counts[base]}"
            at = len(self.specs)
            places = {}
            for shape, *more in weights:
                more = more[0] if more else {}
                below = "/".join(part for part in ("layers", group, more.get("at", "")) if part)
                i = places[below] = places.get(below, -1) + 1
                self.specs.append({
                    "path": f"{below}/vars/{i}", "shape": list(shape), "seed": len(self.specs) + 7,
                    "scale": more.get("scale", 0.6), "offset": more.get("offset", 0.1), "trainable": more.get("trainable", True),
                })
            name = f"{group}_{len(self.nodes)}"
            self.nodes.append((name, class_name, config, inputs, range(at, len(self.specs))))
            return name

        ends = [f"input_{i}" for i in range(len(shapes))]
        if front:
            ends = [add("Dense", {"units": s[-1], "activation": "linear", "use_bias": False}, [e], [[(s[-1], s[-1]), {"scale": 0.8}]]) for e, s in zip(ends, shapes)]
        for class_name, config, weights in chain:
            ends = [add(class_name, config, ends, weights)]
        self.output = ends[0]

    def config(self):
        layers = [
            {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, *s], "dtype": "float32", "sparse": False, "name": f"input_{i}"}, "registered_name": None, "name": f"input_{i}", "inbound_nodes": []}
            for i, s in enumerate(self.shapes)
        ]
        for name, class_name, config, inputs, _ in self.nodes:
            tensors = [tensor_of(i) for i in inputs]
            args = [tensors] if len(tensors) > 1 else tensors
            # Arguments of their own: query and value, and the key by name.
            if class_name in ("MultiHeadAttention", "GroupedQueryAttention"):
                args = tensors[:2] if len(tensors) > 1 else [tensors[0], tensors[0]]
            kwargs = {**config.get("call", {}), **({"key": tensors[2]} if len(tensors) > 2 and args is not None and len(args) == 2 else {})}
            layers.append({**serialized(class_name, config, name), "name": name, "inbound_nodes": [{"args": args, "kwargs": kwargs}]})
        ends = [[f"input_{i}", 0, 0] for i in range(len(self.shapes))]
        model = {"name": "matrix", "trainable": True, "layers": layers, "input_layers": ends if len(ends) > 1 else ends[0], "output_layers": [self.output, 0, 0]}
        out = {"module": "keras.src.models.functional", "class_name": "Functional", "config": model, "registered_name": "Functional"}
        return {**out, "compile_config": self.compile} if self.compile else out

    def weights(self):
        return [values(w["shape"], w["seed"], w["scale"], w["offset"]) for w in self.specs]

    def inputs(self):
        kind = "whole" if self.whole else "real"
        return [values((BATCH, *s), i + 1, self.whole or 1.0, 0.0, kind) for i, s in enumerate(self.shapes)]

    def forward(self, weights, training=False, states=None):
        known = {f"input_{i}": x for i, x in enumerate(self.inputs())}
        for name, class_name, config, inputs, own in self.nodes:
            given = [weights[i] for i in own]
            xs = [known[i] for i in inputs]
            if states is not None and class_name == "BatchNormalization":
                states.extend(plain.next_averages(config, given, xs[0]))
            known[name] = ALL[class_name](config, given, xs, training)
        return known[self.output]

    def penalty(self, weights):
        """Of the regularizers l1 and l2, on the kernels."""
        total = 0.0
        for _, _, config, _, own in self.nodes:
            for key, w in (("kernel_regularizer", 0), ("bias_regularizer", 1)):
                if config.get(key):
                    c = config[key]["config"]
                    v = weights[own[w]]
                    total += c.get("l1", 0) * np.abs(v).sum() + c.get("l2", 0) * (v * v).sum()
        return total

    def differences(self, loss):
        """Central differences of loss(output) + penalties in training, for `some` of every trainable weight, in order."""
        weights = self.weights()
        h = 1e-5

        def at(w, i, change):
            old = w.flat[i]
            w.flat[i] = old + change
            value = loss(self.forward(weights, True)) + self.penalty(weights)
            w.flat[i] = old
            return value

        return [
            [(at(w, i, h) - at(w, i, -h)) / (2 * h) for i in some(w.size)]
            for w, spec in zip(weights, self.specs) if spec["trainable"]
        ]
