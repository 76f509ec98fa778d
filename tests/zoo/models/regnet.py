"""RegNetX-400MF (Radosavovic et al. 2020): bottlenecks around grouped convolutions."""

import torch
from torch import nn

from .layers import conv_bn


class XBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, group_width):
        super().__init__()
        self.a = conv_bn(inputs, outputs, 1)
        self.b = conv_bn(outputs, outputs, 3, stride, groups=outputs // group_width)
        self.c = conv_bn(outputs, outputs, 1, activation=None)
        same = stride == 1 and inputs == outputs
        self.shortcut = None if same else conv_bn(inputs, outputs, 1, stride, activation=None)

    def forward(self, x):
        y = self.c(self.b(self.a(x)))
        if self.shortcut is not None:
            x = self.shortcut(x)
        return torch.relu(x + y)


class RegNetX(nn.Module):
    def __init__(self, widths=(32, 64, 160, 400), depths=(1, 2, 7, 12), group_width=16, classes=1000):
        super().__init__()
        self.stem = conv_bn(3, 32, 3, 2)
        inputs, blocks = 32, []
        for width, depth in zip(widths, depths):
            for index in range(depth):
                blocks.append(XBlock(inputs, width, 2 if index == 0 else 1, group_width))
                inputs = width
        self.trunk = nn.Sequential(*blocks)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.trunk(self.stem(x))
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


def regnet_x_400mf():
    return RegNetX()
