"""DenseNet-121 (Huang et al. 2017), in the two ways that people write a dense block."""

from typing import List

import torch
from torch import nn
from torch.nn import functional as F


class DenseLayer(nn.Module):
    """Normalise, squeeze to 4 growth rates, and make `growth` new channels."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        x = self.conv1(F.relu(self.norm1(x), inplace=True))
        return self.conv2(F.relu(self.norm2(x), inplace=True))


class DenseBlock(nn.Module):
    """Every layer's channels are appended to what it has read."""

    def __init__(self, inputs, growth, depth):
        super().__init__()
        self.layers = nn.ModuleList([DenseLayer(inputs + index * growth, growth) for index in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class ListedDenseBlock(DenseBlock):
    """The same function, with a list that grows."""

    def forward(self, x):
        features: List[torch.Tensor] = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)


class DenseNet(nn.Module):
    def __init__(self, block, growth=32, depths=(6, 12, 24, 16), classes=1000):
        super().__init__()
        channels = 2 * growth
        features = [nn.Conv2d(3, channels, 7, 2, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
                    nn.MaxPool2d(3, 2, 1)]
        for stage, depth in enumerate(depths):
            features.append(block(channels, growth, depth))
            channels += depth * growth
            if stage + 1 < len(depths):  # transition
                features += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
                             nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2)]
                channels //= 2
        features.append(nn.BatchNorm2d(channels))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.relu(self.features(x), inplace=True)
        x = F.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(torch.flatten(x, 1))


def densenet121():
    return DenseNet(DenseBlock)


def densenet121_lists():
    return DenseNet(ListedDenseBlock)
