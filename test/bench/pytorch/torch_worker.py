"""PyTorch's side of the benchmark of exported networks, commanded over stdin (see ../engine/contender.ts).

Arguments: "export", a name, a folder and a batch: the network as NAME.onnx and a batch beside it. Otherwise threads, "channels_last" or
"contiguous", and "onednn" or "plain": the same network is built again from its seed, and trained on the same batch with torch.optim.SGD.
"""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torchvision
from torch import nn

CLASSES = 1000
SIDE = 224


def build(name):
    """The network in training mode, with weights of one seed. Dropout keeps everything: its masks differ between programs."""
    torch.manual_seed(7)
    if name == "vit-tiny":
        # ViT-Ti/16 [Touvron et al. 2021].
        sizes = {"patch_size": 16, "num_layers": 12, "num_heads": 3, "hidden_dim": 192, "mlp_dim": 768}
        module = torchvision.models.VisionTransformer(image_size=SIDE, num_classes=CLASSES, **sizes)
        # torchvision's head is zero: the first losses would compare nothing.
        nn.init.normal_(module.heads.head.weight, std=0.02)
    else:
        module = torchvision.models.get_model(name, weights=None)
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    # Exporters tie tensors of equal values, which those of a trained network are not.
    generator = torch.Generator().manual_seed(3)
    for parameter in module.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
    return module.train()


def export(name, folder, batch):
    module = build(name)
    images = torch.randn(batch, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
    labels = torch.randint(0, CLASSES, (batch,), generator=torch.Generator().manual_seed(6))
    images.numpy().tofile(os.path.join(folder, name + ".images"))
    labels.numpy().astype(np.float32).tofile(os.path.join(folder, name + ".labels"))
    path = os.path.join(folder, name + ".onnx")
    # Without norms over the batch and without Dropout both modes compute the same; that of evaluation has no nodes for Dropout.
    transformer = name == "vit-tiny"
    mode = torch.onnx.TrainingMode.EVAL if transformer else torch.onnx.TrainingMode.TRAINING
    torch.onnx.export(
        module.train(not transformer), images[:2], path, opset_version=16, training=mode, do_constant_folding=transformer,
        input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
    )


def serve(threads, layout, products):
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.backends.mkldnn.set_flags(products == "onednn")
    problem = json.loads(sys.stdin.readline())
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    images = torch.from_numpy(np.fromfile(problem["imagesFile"], np.float32)).reshape(problem["batch"], 3, SIDE, SIDE)
    images = images.contiguous(memory_format=memory_format)
    labels = torch.from_numpy(np.fromfile(problem["labelsFile"], np.float32)).long()
    module = build(problem["name"]).to(memory_format=memory_format)
    optimizer = torch.optim.SGD(module.parameters(), lr=problem["learningRate"], momentum=0.9, nesterov=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(module(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def answer(value):
        print(json.dumps(value), flush=True)

    answer({"about": f"PyTorch {torch.__version__}"})
    for line in sys.stdin:
        losses, seconds, cpu_seconds = [], [], []
        for _ in range(json.loads(line).get("steps", 0)):
            start, before = time.perf_counter(), time.process_time()
            losses.append(step())
            seconds.append(time.perf_counter() - start)
            cpu_seconds.append(time.process_time() - before)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answer({"losses": losses, "seconds": seconds, "cpuSeconds": cpu_seconds, "memory": memory})


if sys.argv[1] == "export":
    export(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
