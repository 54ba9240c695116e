"""Prints reference.json: what every case must compute. `python3 main.py > ../reference.json`"""
import json
import math
import sys

import numpy as np

from cases import cases
from losses import loss_cases
from network import Network, some
from values import values


def digits(x, count=7):
    """Numbers as short as their precision allows."""
    return [float(f"{v:.{count}g}") for v in np.ravel(x)]


def squared(output):
    target = values(output.shape, 99)
    return lambda y: float(np.mean((y - target) ** 2))


def measured(case):
    network = Network(case["shapes"], case["chain"], case["front"], case["whole"])
    weights = network.weights()
    output = network.forward(weights)
    loss = squared(output)
    out = {"id": case["id"], "shapes": case["shapes"], "whole": case["whole"], "config": network.config(), "weights": network.specs, "output": digits(output.flat[list(some(output.size, 48))])}
    if case["training"]:
        states = []
        trained = network.forward(weights, True, states)
        out["loss"] = digits([loss(trained) + network.penalty(weights)])[0]
        out["gradients"] = [digits(g, 6) for g in network.differences(loss)]
        if case["averages"]:
            out["averages"] = digits(states)
    if not all(math.isfinite(v) for v in out["output"]):
        raise ValueError(f"{case['id']}: not finite")
    return out


if __name__ == "__main__":
    layers = [measured(case) for case in cases()]
    losses = [case for case in loss_cases(digits)]
    lines = lambda rows: ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    sys.stdout.write(f'{{"layers":[\n{lines(layers)}\n],"losses":[\n{lines(losses)}\n]}}\n')
