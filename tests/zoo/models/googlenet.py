"""GoogLeNet (Szegedy et al. 2015) with batch norms and without the auxiliary classifiers."""

import torch
from torch import nn

from .layers import conv_bn


class Inception(nn.Module):
    """Four views of the input, side by side."""

    def __init__(self, inputs, one, three_reduced, three, five_reduced, five, pooled):
        super().__init__()
        self.one = conv_bn(inputs, one, 1, eps=1e-3)
        self.three = nn.Sequential(conv_bn(inputs, three_reduced, 1, eps=1e-3), conv_bn(three_reduced, three, 3, eps=1e-3))
        self.five = nn.Sequential(conv_bn(inputs, five_reduced, 1, eps=1e-3), conv_bn(five_reduced, five, 5, eps=1e-3))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), conv_bn(inputs, pooled, 1, eps=1e-3))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class GoogLeNet(nn.Module):
    #      the settings of Inception above, for stages 3, 4 and 5
    stages = (((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
              ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
               (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128)),
              ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)))

    def __init__(self, classes=1000):
        super().__init__()
        layers = [conv_bn(3, 64, 7, 2, eps=1e-3), nn.MaxPool2d(3, 2, ceil_mode=True),
                  conv_bn(64, 64, 1, eps=1e-3), conv_bn(64, 192, 3, eps=1e-3)]
        inputs = 192
        for stage in self.stages:
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            for settings in stage:
                layers.append(Inception(inputs, *settings))
                inputs = settings[0] + settings[2] + settings[4] + settings[5]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = torch.flatten(self.pool(self.features(x)), 1)
        return self.fc(self.dropout(x))


def googlenet():
    return GoogLeNet()
