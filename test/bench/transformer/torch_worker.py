"""PyTorch's side of the transformer benchmark, commanded over stdin (see ../engine/contender.ts).

The same encoder from torch.nn.functional, with the same weights, trained on the same batch with torch.optim.SGD.
Argument: threads.
"""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

threads = int(sys.argv[1])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
problem = json.loads(sys.stdin.readline())
flat = torch.from_numpy(np.fromfile(problem['weightsFile'], np.float32))
w, at = {}, 0
for weight in problem['weights']:
    size = int(np.prod(weight['shape']))
    values = flat[at:at + size].reshape(weight['shape'])
    at += size
    # F.linear's kernels are [out, in].
    kernel = weight['name'].endswith('.weight') and values.dim() == 2
    w[weight['name']] = (values.t() if kernel else values).contiguous().clone().requires_grad_()
batch, tokens, width, heads = (problem[key] for key in ('batch', 'tokens', 'width', 'heads'))
data = np.fromfile(problem['dataFile'], np.float32)
patches = 'patch' in problem
x0 = torch.from_numpy(data).reshape(batch, tokens - 1, -1) if patches else torch.from_numpy(data.astype(np.int64)).reshape(batch, tokens)
labels = torch.from_numpy(np.fromfile(problem['targetFile'], np.float32)).reshape(batch, -1).argmax(1)


def linear(x, name):
    return F.linear(x, w[name + '.weight'], w[name + '.bias'])


def norm(x, name):
    return F.layer_norm(x, (width,), w[name + '.weight'], w[name + '.bias'], 1e-5)


def attention(x, name):
    q, k, v = linear(x, name + '.in').reshape(batch, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    shares = torch.softmax(q @ k.transpose(-2, -1) * (width // heads) ** -0.5, -1)
    return linear((shares @ v).transpose(1, 2).reshape(batch, tokens, width), name + '.out')


def perceptron(x, name):
    return linear(F.gelu(linear(x, name + '.0')), name + '.2')


def forward():
    if patches:
        first = w['class'].expand(batch, 1, width)
        x = torch.cat([first, linear(x0, 'patches')], 1) + w['places']
    else:
        x = norm(F.embedding(x0, w['words']) + w['places'], 'norm')
    for i in range(problem['layers']):
        name = f'layers.{i}'
        if patches:
            x = x + attention(norm(x, name + '.norm1'), name + '.attention')
            x = x + perceptron(norm(x, name + '.norm2'), name + '.mlp')
        else:
            x = norm(x + attention(x, name + '.attention'), name + '.norm1')
            x = norm(x + perceptron(x, name + '.mlp'), name + '.norm2')
    if patches:
        x = norm(x, 'norm')
    return linear(x[:, 0], 'head')


optimizer = torch.optim.SGD(list(w.values()), lr=problem['learningRate'], momentum=0.9, nesterov=True)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(forward(), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def answer(value):
    print(json.dumps(value), flush=True)


environment = ', '.join(f'{key}={os.environ[key]}' for key in ('OPENBLAS_NUM_THREADS', 'OMP_WAIT_POLICY') if key in os.environ)
answer({'about': f'PyTorch {torch.__version__}, {threads} threads, {environment or "no variables"}'})
for line in sys.stdin:
    losses, seconds, cpu_seconds = [], [], []
    for _ in range(json.loads(line).get('steps', 0)):
        start, before = time.perf_counter(), time.process_time()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - before)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer({'losses': losses, 'seconds': seconds, 'cpuSeconds': cpu_seconds, 'memory': memory})
