"""PyTorch's side of the benchmark: one setting on one problem, commanded over stdin (see contender.ts).

Builds the network from the layers of the TensorFlow.js topology, with the same weights in PyTorch's own layouts, and
trains it on the same batches with torch.optim.SGD. Arguments: threads, "channels_last" or "contiguous".
"""
import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn

threads, layout = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
torch.set_flush_denormal(True)


class Net(nn.Module):
    """Images are NCHW inside (in the memory format asked for), NHWC at Flatten and at the input."""

    def __init__(self, topology, weights):
        super().__init__()
        self.nodes = []
        config = topology['config']
        previous = None
        for layer in config['layers']:
            kind, c = layer['class_name'], layer['config']
            name = c['name']
            w = {k.split('/', 1)[1]: v for k, v in weights.items() if k.split('/', 1)[0] == name}
            module = self.build(kind, c, w)
            if module is not None:
                self.add_module(name, module)
            inbound = layer.get('inbound_nodes')
            sources = [n[0] for n in inbound[0]] if inbound else ([previous] if previous else [])
            self.nodes.append((name, kind, c, module, sources))
            previous = name
        outputs = config.get('output_layers')
        self.output = outputs[0][0] if outputs else previous

    def build(self, kind, c, w):
        if kind == 'Dense':
            module = nn.Linear(*w['kernel'].shape)
            module.weight.data = w['kernel'].t().contiguous()
            module.bias.data = w['bias'].clone()
            return module
        if kind == 'Conv2D':
            k = w['kernel'].permute(3, 2, 0, 1).contiguous()
            stride = c['strides'][0]
            padding = (k.shape[2] - 1) // 2 if c['padding'] == 'same' else 0
            module = nn.Conv2d(k.shape[1], k.shape[0], k.shape[2], stride, padding, bias='bias' in w)
            module.weight.data = k
            if 'bias' in w:
                module.bias.data = w['bias'].clone()
            return module
        if kind == 'BatchNormalization':
            module = nn.BatchNorm2d(len(w['gamma']), eps=c['epsilon'], momentum=1 - c['momentum'])
            module.weight.data, module.bias.data = w['gamma'].clone(), w['beta'].clone()
            return module
        if kind == 'LSTM':
            module = nn.LSTM(w['kernel'].shape[0], c['units'], batch_first=True)
            module.weight_ih_l0.data = w['kernel'].t().contiguous()
            module.weight_hh_l0.data = w['recurrent_kernel'].t().contiguous()
            module.bias_ih_l0.data = w['bias'].clone()
            # The second bias is not trained: TensorFlow has one.
            module.bias_hh_l0 = nn.Parameter(torch.zeros_like(w['bias']), requires_grad=False)
            return module
        return None

    def forward(self, x):
        values = {}
        for name, kind, c, module, sources in self.nodes:
            if sources:
                x = values[sources[0]]
            if kind in ('Dense', 'Conv2D', 'BatchNormalization'):
                x = self.pad_same(module, c, x) if kind == 'Conv2D' else module(x)
            elif kind == 'LSTM':
                x = module(x)[0][:, -1]
            elif kind == 'MaxPooling2D':
                x = nn.functional.max_pool2d(x, c['pool_size'], c['strides'])
            elif kind == 'AveragePooling2D':
                x = nn.functional.avg_pool2d(x, c['pool_size'], c['strides'])
            elif kind == 'GlobalAveragePooling2D':
                x = x.mean((2, 3))
            elif kind == 'ZeroPadding2D':  # "channels_first" on NHWC: pads the channels, see architectures.ts
                before, after = c['padding'][1]
                x = nn.functional.pad(x, (0, 0, 0, 0, before, after))
            elif kind == 'Flatten':
                x = x.flatten(1)
            elif kind == 'Add':
                x = x + values[sources[1]]
            if c.get('activation') == 'relu':
                x = torch.relu(x)
            values[name] = x
        return values[self.output]

    def pad_same(self, module, c, x):
        # TensorFlow pads a strided 3x3 on an even size at the end only.
        if c['padding'] == 'same' and c['strides'][0] == 2 and x.shape[2] % 2 == 0 and module.kernel_size[0] == 3:
            x = nn.functional.pad(x, (0, 1, 0, 1))
            return nn.functional.conv2d(x, module.weight, module.bias, 2, 0)
        return module(x)


def flatten_order(net, shape):
    """Rows of the Dense after Flatten: TensorFlow's are (h, w, c), PyTorch's (c, h, w)."""
    with torch.no_grad():
        x = torch.zeros(1, *shape)
        for name, kind, c, module, _ in net.nodes:
            if kind == 'Flatten':
                _, channels, h, w = x.shape
                order = torch.arange(h * w * channels).reshape(h, w, channels).permute(2, 0, 1).flatten()
                dense = net.nodes[[n[0] for n in net.nodes].index(name) + 1][3]
                dense.weight.data = dense.weight.data[:, order].contiguous()
                return
            if kind == 'Conv2D':
                x = module(x)
            elif kind == 'MaxPooling2D':
                x = nn.functional.max_pool2d(x, c['pool_size'], c['strides'])


problem = json.loads(sys.stdin.readline())
flat = torch.from_numpy(np.fromfile(problem['weightsFile'], np.float32))
weights = {
    w['name']: flat[w['offset']:w['offset'] + int(np.prod(w['shape']))].reshape(w['shape']) for w in problem['weights']
}
shape, samples, batch = problem['inputShape'], problem['samples'], problem['batch']
images = torch.from_numpy(np.memmap(problem['imagesFile'], np.float32, 'c', shape=(samples, *shape)))
labels = torch.from_numpy(np.fromfile(problem['targetsFile'], np.float32).reshape(samples, -1)).argmax(1)
order = torch.from_numpy(np.fromfile(problem['orderFile'], np.uint32).astype(np.int64))
memory_format = torch.channels_last if layout == 'channels_last' else torch.contiguous_format

net = Net(problem['topology'], weights)
if len(shape) == 3:
    images = images.permute(0, 3, 1, 2)
    flatten_order(net, (shape[2], shape[0], shape[1]))
    net = net.to(memory_format=memory_format)
    if layout == 'contiguous':
        images = images.contiguous()
parameters = [p for p in net.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(parameters, lr=problem['learningRate'], momentum=0.9, nesterov=True)
at = 0


def step():
    global at
    index = order[torch.arange(at, at + batch) % samples]
    at = (at + batch) % samples
    x = images[index]
    if len(shape) == 3:
        x = x.contiguous(memory_format=memory_format)
    optimizer.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(net(x), labels[index])
    loss.backward()
    optimizer.step()
    return loss


def answer(value):
    print(json.dumps(value), flush=True)


environment = ', '.join(
    f'{key}={os.environ[key]}' for key in ('OPENBLAS_NUM_THREADS', 'OMP_WAIT_POLICY') if key in os.environ
)
mkldnn = 'oneDNN' if torch.backends.mkldnn.is_available() else 'no oneDNN'
answer({'about': f'PyTorch {torch.__version__}, {mkldnn}, {threads} threads, {layout}, {environment or "no variables"}'})
for line in sys.stdin:
    command = json.loads(line)
    if command['cmd'] == 'losses':
        answer({'losses': [step().item() for _ in range(command['steps'])]})
    elif command['cmd'] == 'time':
        start, before = time.perf_counter(), time.process_time()
        for _ in range(command['steps']):
            loss = step().item()
        answer({'seconds': time.perf_counter() - start, 'cpuSeconds': time.process_time() - before})
    else:
        n = 1024
        a, b, best = torch.randn(n, n), torch.randn(n, n), 1e9
        for _ in range(20):
            start = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - start)
        answer({'flops': 2 * n**3 / best})
