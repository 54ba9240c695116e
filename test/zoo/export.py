"""Exports networks of the zoo: python3 export.py FOLDER NAME..., each as NAME.eval.onnx and NAME.train.onnx."""
import os
import sys

import onnx
import torch
from onnx import numpy_helper

sys.path.insert(0, os.path.dirname(__file__))
from models import build  # noqa: E402

torch.set_num_threads(1)


def export(name, folder, training, dynamic):
    module, shapes = build(name)
    module.train(training)
    tokens = name == "transformer"
    batch = 2 if training else 1
    data = tuple(
        torch.randint(0, 30, (batch, *shape)) if tokens else torch.randn(batch, *shape) for shape in shapes
    )
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
    # Tracing in training mode moves the statistics of BatchNormalization: the file gets those from before.
    before = {key: value.clone() for key, value in module.state_dict().items() if "running" in key}
    names = [f"input{i}" for i in range(len(data))]
    suffix = ("train" if training else "eval") + ("" if dynamic else ".fixed")
    path = os.path.join(folder, f"{name}.{suffix}.onnx")
    torch.onnx.export(
        module, data, path, opset_version=16,
        training=mode, do_constant_folding=not training, input_names=names,
        output_names=["output"] if name not in ("googlenet", "inception_v3") else None,
        dynamic_axes={n: {0: "batch"} for n in names} | {"output": {0: "batch"}} if dynamic else None,
    )
    if training:
        model = onnx.load(path)
        for tensor in model.graph.initializer:
            if tensor.name in before:
                tensor.CopyFrom(numpy_helper.from_array(before[tensor.name].numpy(), tensor.name))
        onnx.save(model, path)


folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for name in sys.argv[2:]:
    for training in (False, True):
        for dynamic in (True, False):
            try:
                export(name, folder, training, dynamic)
            except Exception as error:  # noqa: BLE001 - what cannot be exported is reported, the others go on
                print(f"{name} ({'training' if training else 'evaluation'}): {str(error).splitlines()[0]}", file=sys.stderr)
