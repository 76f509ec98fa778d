"""EfficientNet-B0 (Tan & Le 2019)."""

import torch
from torch import nn

from .layers import SqueezeExcite, StochasticDepth, conv_bn


class MBConv(nn.Module):
    """MobileNetV2's block with squeeze-and-excitation and stochastic depth."""

    def __init__(self, inputs, outputs, expansion, kernel, stride, drop):
        super().__init__()
        expanded = inputs * expansion
        layers = [] if expansion == 1 else [conv_bn(inputs, expanded, 1, activation=nn.SiLU)]
        layers += [conv_bn(expanded, expanded, kernel, stride, groups=expanded, activation=nn.SiLU),
                   SqueezeExcite(expanded, max(1, inputs // 4), nn.SiLU, nn.Sigmoid),
                   conv_bn(expanded, outputs, 1, activation=None)]
        self.layers = nn.Sequential(*layers)
        self.drop = StochasticDepth(drop)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        if self.adds:
            y = self.drop(y) + x
        return y


class EfficientNetB0(nn.Module):
    #           expansion, outputs, blocks, stride, kernel
    settings = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
                (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))

    def __init__(self, classes=1000, drop=0.2):
        super().__init__()
        total = sum(blocks for _, _, blocks, _, _ in self.settings)
        features, inputs, done = [conv_bn(3, 32, 3, 2, activation=nn.SiLU)], 32, 0
        for expansion, outputs, blocks, stride, kernel in self.settings:
            for index in range(blocks):
                features.append(MBConv(inputs, outputs, expansion, kernel, stride if index == 0 else 1, drop * done / total))
                inputs, done = outputs, done + 1
        features.append(conv_bn(inputs, 1280, 1, activation=nn.SiLU))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


def efficientnet_b0():
    return EfficientNetB0()
