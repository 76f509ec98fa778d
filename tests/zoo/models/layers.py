"""Layers that several architectures share."""

import torch
from torch import nn


def divisible(channels, divisor=8):
    """The nearest multiple of `divisor`, but no less than 90 % of `channels` (MobileNet's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def conv_bn(inputs, outputs, kernel, stride=1, groups=1, activation=nn.ReLU, eps=1e-5):
    """Convolution that keeps the size (but for its stride), batch norm, activation unless None."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs, eps=eps)]
    if activation is not None:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


class SqueezeExcite(nn.Module):
    """Channel attention of 1x1 convolutions on the pooled features (Hu et al. 2018, as the mobile networks write it)."""

    def __init__(self, channels, squeezed, activation, gate):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.activation = activation(inplace=True)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x):
        return x * self.gate(self.expand(self.activation(self.reduce(self.pool(x)))))


class StochasticDepth(nn.Module):
    """Drops the whole branch of a sample with probability p while training (Huang et al. 2016)."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0.0:
            return x
        keep = 1.0 - self.p
        noise = torch.empty([x.size(0), 1, 1, 1], dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * noise / keep
