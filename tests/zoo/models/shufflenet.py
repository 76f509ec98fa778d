"""ShuffleNetV2 1x (Ma et al. 2018)."""

import torch
from torch import nn

from .layers import conv_bn


def channel_shuffle(x, groups: int):
    batch, channels, height, width = x.size()
    x = x.view(batch, groups, channels // groups, height, width)
    return torch.transpose(x, 1, 2).contiguous().view(batch, channels, height, width)


def branch(inputs, outputs, stride):
    return nn.Sequential(conv_bn(inputs, outputs, 1), conv_bn(outputs, outputs, 3, stride, outputs, activation=None),
                         conv_bn(outputs, outputs, 1))


class Unit(nn.Module):
    """Half of the channels pass, half are worked on; then the halves are interleaved."""

    def __init__(self, channels):
        super().__init__()
        self.right = branch(channels // 2, channels // 2, 1)

    def forward(self, x):
        left, right = x.chunk(2, dim=1)
        return channel_shuffle(torch.cat((left, self.right(right)), dim=1), 2)


class DownUnit(nn.Module):
    """Both branches see all channels and halve the resolution."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.left = nn.Sequential(conv_bn(inputs, inputs, 3, 2, inputs, activation=None),
                                  conv_bn(inputs, outputs // 2, 1))
        self.right = branch(inputs, outputs // 2, 2)

    def forward(self, x):
        return channel_shuffle(torch.cat((self.left(x), self.right(x)), dim=1), 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, widths=(116, 232, 464), repeats=(4, 8, 4), last=1024, classes=1000):
        super().__init__()
        inputs, stages = 24, []
        self.stem = conv_bn(3, inputs, 3, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        for width, count in zip(widths, repeats):
            stages.append(nn.Sequential(DownUnit(inputs, width), *[Unit(width) for _ in range(count - 1)]))
            inputs = width
        self.stages = nn.Sequential(*stages)
        self.last = conv_bn(inputs, last, 1)
        self.fc = nn.Linear(last, classes)

    def forward(self, x):
        x = self.last(self.stages(self.pool(self.stem(x))))
        return self.fc(x.mean([2, 3]))


def shufflenet_v2_x1_0():
    return ShuffleNetV2()
