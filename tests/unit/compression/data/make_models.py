#!/usr/bin/env python3
"""Writes the .pt fixtures beside this file: scripted models, and models traced in eval mode.

Needs PyTorch 1.13 (Debian 12: apt install python3-torch) and is run by hand, never by the tests:
    /usr/bin/python3 make_models.py
"""

import pathlib

import torch
import torch.nn.functional as F
from torch import nn


class SmallLeNet(nn.Module):
    """LeNet with functional activations and a literal view, about 3,000 weights; input N x 1 x 12 x 12."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 8, 2)
        self.fc1 = nn.Linear(8 * 2 * 2, 12)
        self.fc2 = nn.Linear(12, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2, 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2, 2)
        x = x.view(-1, 8 * 2 * 2)
        x = F.dropout(F.relu(self.fc1(x)), 0.5, self.training)
        return F.log_softmax(self.fc2(x), dim=1)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels + 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels + 4)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels + 4, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + x)


class Residual(nn.Module):
    """Residual blocks of one class, a depthwise-separable pair, a concatenation; input N x 3 x 8 x 8."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.pointwise = nn.Conv2d(8, 12, 1)
        self.left = nn.Conv2d(12, 6, 1)
        self.right = nn.Conv2d(12, 4, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(10, 5)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        x = torch.relu(self.pointwise(F.hardtanh(self.depthwise(x))))
        x = torch.cat([self.left(x), self.right(x)], dim=1)
        x = torch.flatten(self.pool(F.silu(x)), 1)
        return self.fc(self.dropout(x))


def settle_batch_norms(model):
    """Statistics that are not those of a fresh layer, so that shifts show."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.7, 1.4)
            module.weight.data.uniform_(0.6, 1.4)
            module.bias.data.uniform_(-0.3, 0.3)


def write(name, model, example):
    folder = pathlib.Path(__file__).parent
    torch.jit.script(model.train()).save(str(folder / f"{name}_scripted.pt"))
    torch.jit.trace(model.eval(), example).save(str(folder / f"{name}_traced.pt"))


def main():
    torch.manual_seed(7)
    lenet = SmallLeNet()
    write("lenet", lenet, torch.randn(2, 1, 12, 12))
    residual = Residual()
    settle_batch_norms(residual)
    write("residual", residual, torch.randn(2, 3, 8, 8))
    folder = pathlib.Path(__file__).parent
    traced = torch.jit.trace(lenet.train(), torch.randn(2, 1, 12, 12), check_trace=False)
    traced.save(str(folder / "lenet_traced_training.pt"))
    torch.save(lenet.state_dict(), str(folder / "lenet_state_dict.pt"))


if __name__ == "__main__":
    main()
