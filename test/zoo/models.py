"""The networks of the zoo: name -> (module, input shapes without the batch). Weights are random, from one seed."""
import torch
import torchvision
from torch import nn


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(20, 32), nn.Linear(32, 16), nn.Linear(16, 5)
        self.drop = nn.Dropout(0.25)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(self.drop(torch.relu(self.fc1(x))))))


class LeNet5(nn.Module):
    def __init__(self, norm=False):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.norm1 = nn.BatchNorm2d(6) if norm else nn.Identity()
        self.fc1, self.fc2 = nn.Linear(400, 40), nn.Linear(40, 10)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))


class Recurrent(nn.Module):
    def __init__(self, kind, bidirectional=False, batch_first=True):
        super().__init__()
        self.rnn = kind(6, 12, batch_first=batch_first, bidirectional=bidirectional)
        self.fc = nn.Linear(24 if bidirectional else 12, 4)
        self.batch_first = batch_first

    def forward(self, x):
        if not self.batch_first:
            x = x.transpose(0, 1)
        y, _ = self.rnn(x)
        return self.fc(y[:, -1] if self.batch_first else y[-1])


class Transformer(nn.Module):
    """An encoder over token numbers, with a learned embedding of positions."""

    def __init__(self, length=9, width=16):
        super().__init__()
        self.tokens = nn.Embedding(30, width)
        self.positions = nn.Parameter(torch.randn(1, length, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 32, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        return self.head(self.encoder(self.tokens(x) + self.positions).mean(1))


class Depthwise(nn.Module):
    """Depthwise, grouped and transposed convolutions, GroupNorm, PReLU, bilinear and nearest resizing, padding."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.gn = nn.GroupNorm(2, 8)
        self.dw = nn.Conv2d(8, 16, 3, padding=1, groups=8)
        self.prelu = nn.PReLU(16)
        self.group = nn.Conv2d(16, 12, 1, groups=4)
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1)
        self.gup = nn.ConvTranspose2d(6, 6, 2, stride=2, groups=3)
        self.last = nn.Conv2d(6, 4, 3)

    def forward(self, x):
        y = self.prelu(self.dw(torch.nn.functional.silu(self.gn(self.a(x)))))
        y = self.gup(self.up(self.group(y)))
        y = nn.functional.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)
        y = nn.functional.interpolate(y, scale_factor=2, mode="nearest")
        y = self.last(nn.functional.pad(y, (1, 1, 1, 1), mode="reflect"))
        return nn.functional.log_softmax(nn.functional.adaptive_avg_pool2d(y, 1).flatten(1), 1)


class UNet(nn.Module):
    def __init__(self, widths=(6, 12)):
        super().__init__()
        a, b = widths

        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())

        self.down1, self.down2, self.bottom = block(3, a), block(a, b), block(b, b)
        self.up2, self.up1 = nn.ConvTranspose2d(b, b, 2, stride=2), nn.ConvTranspose2d(b, a, 2, stride=2)
        self.join2, self.join1 = block(2 * b, b), block(2 * a, a)
        self.out = nn.Conv2d(a, 2, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(self.pool(d1))
        y = self.bottom(self.pool(d2))
        y = self.join2(torch.cat([self.up2(y), d2], 1))
        return self.out(self.join1(torch.cat([self.up1(y), d1], 1)))


class Conv1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(4, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(8, 8, 3, dilation=2, groups=8), nn.ELU(), nn.AvgPool1d(3, stride=2, padding=1),
        )
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(self.body(x).mean(2))


class Mixer(nn.Module):
    """Patches, and MLPs over patches and over channels in turn."""

    def __init__(self, patches=16, width=12):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, stride=4)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(patches, 20), nn.GELU(), nn.Linear(20, patches))
        self.channels = nn.Sequential(nn.Linear(width, 24), nn.GELU(), nn.Dropout(0.1), nn.Linear(24, width))
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(self.norm2(x))
        return self.head(self.norm3(x).mean(1))


class Causal(nn.Module):
    """Masked attention written out, with an RMS norm and a gated MLP."""

    def __init__(self, length=7, width=16, heads=2):
        super().__init__()
        self.heads, self.width = heads, width
        self.scale1, self.scale2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.gate, self.up, self.down = nn.Linear(width, 24), nn.Linear(width, 24), nn.Linear(24, width)
        self.head = nn.Linear(width, 6)
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))

    def norm(self, x, scale):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * scale

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x, self.scale1)).chunk(3, -1)
        q, k, v = (t.reshape(-1, t.shape[1], self.heads, self.width // self.heads).transpose(1, 2) for t in (q, k, v))
        scores = torch.softmax(q @ k.transpose(-1, -2) * (self.width // self.heads) ** -0.5 + self.mask, -1)
        x = x + self.out((scores @ v).transpose(1, 2).flatten(2))
        y = self.norm(x, self.scale2)
        return self.head((x + self.down(nn.functional.silu(self.gate(y)) * self.up(y)))[:, -1])


class ConvLstm(nn.Module):
    """A convolution over time in front of two layers of LSTM."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(5, 8, 3, padding=1), nn.BatchNorm1d(8)
        self.lstm = nn.LSTM(8, 10, num_layers=2, batch_first=True)
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv(x))).transpose(1, 2)
        return self.fc(self.lstm(y)[0].mean(1))


class GroupResidual(nn.Module):
    """Residual blocks with GroupNorm and InstanceNorm, dilation, an excitation and a global maximum."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm1, self.norm2 = nn.GroupNorm(4, 8), nn.InstanceNorm2d(8, affine=True)
        self.conv1, self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.Conv2d(8, 8, 1)
        self.squeeze, self.excite = nn.Conv2d(8, 3, 1), nn.Conv2d(3, 8, 1)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.conv2(nn.functional.leaky_relu(self.norm2(self.conv1(nn.functional.hardswish(self.norm1(x)))), 0.1))
        gate = nn.functional.hardsigmoid(self.excite(nn.functional.relu6(self.squeeze(y.mean((2, 3), keepdim=True)))))
        x = x + y * gate
        return self.fc(torch.cat([x.amax((2, 3)), nn.functional.softplus(x).mean((2, 3))], 1))


SMALL = {
    "mlp": (Mlp, [(20,)]),
    "lenet5": (LeNet5, [(1, 28, 28)]),
    "lenet5bn": (lambda: LeNet5(True), [(1, 28, 28)]),
    "lstm": (lambda: Recurrent(nn.LSTM), [(5, 6)]),
    "bilstm": (lambda: Recurrent(nn.LSTM, True), [(5, 6)]),
    "gru": (lambda: Recurrent(nn.GRU, False, False), [(5, 6)]),
    "rnn": (lambda: Recurrent(nn.RNN, True), [(5, 6)]),
    "transformer": (Transformer, [(9,)]),
    "depthwise": (Depthwise, [(3, 16, 16)]),
    "unet": (UNet, [(3, 16, 16)]),
    "conv1d": (Conv1d, [(4, 20)]),
    "mixer": (Mixer, [(3, 16, 16)]),
    "causal": (Causal, [(7, 16)]),
    "convlstm": (ConvLstm, [(5, 8)]),
    "groupresidual": (GroupResidual, [(3, 12, 12)]),
}

# Protocol buffers end at 2 GB, and PyTorch 1.13 needs more memory for larger files than machines have that run tests.
TOO_LARGE = ["regnet_y_128gf", "vit_h_14"]

TORCHVISION = [name for name in torchvision.models.list_models(module=torchvision.models) if name not in TOO_LARGE]

# Adaptive pooling to 6 x 6 or 7 x 7, windows and auxiliary classifiers leave these no smaller image. All others take 64 x 64.
LEAST = {"alexnet": 224, "inception_v3": 299, "maxvit_t": 224} | {name: 224 for name in TORCHVISION if name.startswith("vgg")}


def build(name, size=None):
    """
    The module with weights from one seed, and its inputs' shapes. Statistics are not those of a fresh layer.

    size: of an image's edge; None for the smallest that the network takes.
    """
    torch.manual_seed(7)
    if name in SMALL:
        make, shapes = SMALL[name]
        module = make()
    else:
        size = max(size or 64, LEAST.get(name, 0) if name == "inception_v3" or size is None else 0)
        kwargs = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        if name.startswith("vit_"):
            kwargs["image_size"] = size = size // 32 * 32 if name != "vit_h_14" else size // 14 * 14
        module, shapes = torchvision.models.get_model(name, weights=None, **kwargs), [(3, size, size)]
    generator = torch.Generator().manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.running_mean.copy_(torch.randn(part.running_mean.shape, generator=generator) * 0.1)
            part.running_var.copy_(torch.rand(part.running_var.shape, generator=generator) + 0.5)
            part.weight.data.copy_(torch.rand(part.weight.shape, generator=generator) + 0.5)
            part.bias.data.copy_(torch.randn(part.bias.shape, generator=generator) * 0.1)
    # PyTorch 1.13 cannot export the random numbers of stochastic depth.
    for part in module.modules():
        if isinstance(part, torchvision.ops.StochasticDepth):
            part.p = 0.0
    # Exporters tie tensors of equal values, which those of a trained network are not.
    for parameter in module.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
    return module, shapes
