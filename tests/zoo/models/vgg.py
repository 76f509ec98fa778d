"""VGG, configuration D, with batch norms (Simonyan & Zisserman 2015)."""

import torch
from torch import nn


class Vgg16(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        inputs, features = 3, []
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                conv = nn.Conv2d(inputs, width, 3, padding=1)
                features += [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                inputs = width
            features.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout(),
                                        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(),
                                        nn.Linear(4096, classes))

    def forward(self, x):
        x = self.pool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def vgg16_bn():
    return Vgg16()
