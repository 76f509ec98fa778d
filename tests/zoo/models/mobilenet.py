"""MobileNetV2 (Sandler et al. 2018) and MobileNetV3-Large (Howard et al. 2019)."""

import torch
from torch import nn

from .layers import SqueezeExcite, conv_bn, divisible


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; the input is added where shapes allow."""

    def __init__(self, inputs, outputs, expanded, kernel, stride, activation=nn.ReLU6, squeezed=0, eps=1e-5):
        super().__init__()
        layers = []
        if expanded != inputs:
            layers.append(conv_bn(inputs, expanded, 1, activation=activation, eps=eps))
        layers.append(conv_bn(expanded, expanded, kernel, stride, groups=expanded, activation=activation, eps=eps))
        if squeezed:
            layers.append(SqueezeExcite(expanded, squeezed, nn.ReLU, nn.Hardsigmoid))
        layers.append(conv_bn(expanded, outputs, 1, activation=None, eps=eps))
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        if self.adds:
            return x + self.layers(x)
        return self.layers(x)


class MobileNetV2(nn.Module):
    #           expansion, outputs, blocks, stride
    settings = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, classes=1000):
        super().__init__()
        features, inputs = [conv_bn(3, 32, 3, 2, activation=nn.ReLU6)], 32
        for expansion, outputs, blocks, stride in self.settings:
            for index in range(blocks):
                features.append(InvertedResidual(inputs, outputs, inputs * expansion, 3, stride if index == 0 else 1))
                inputs = outputs
        features.append(conv_bn(inputs, 1280, 1, activation=nn.ReLU6))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class MobileNetV3Large(nn.Module):
    #           kernel, expanded, outputs, squeeze, hard swish, stride
    settings = ((3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1),
                (5, 72, 40, True, False, 2), (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1),
                (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1), (3, 184, 80, False, True, 1),
                (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
                (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1))

    def __init__(self, classes=1000):
        super().__init__()
        features, inputs = [conv_bn(3, 16, 3, 2, activation=nn.Hardswish, eps=1e-3)], 16
        for kernel, expanded, outputs, squeeze, hard_swish, stride in self.settings:
            activation = nn.Hardswish if hard_swish else nn.ReLU
            squeezed = divisible(expanded // 4) if squeeze else 0
            features.append(InvertedResidual(inputs, outputs, expanded, kernel, stride, activation, squeezed, eps=1e-3))
            inputs = outputs
        features.append(conv_bn(inputs, 960, 1, activation=nn.Hardswish, eps=1e-3))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(960, 1280), nn.Hardswish(inplace=True), nn.Dropout(0.2),
                                        nn.Linear(1280, classes))

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


def mobilenet_v2():
    return MobileNetV2()


def mobilenet_v3_large():
    return MobileNetV3Large()
