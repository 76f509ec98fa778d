"""U-Net (Ronneberger et al. 2015), a quarter as wide, with padded convolutions and batch norms."""

import torch
from torch import nn

from .layers import conv_bn


def double_conv(inputs, outputs):
    return nn.Sequential(conv_bn(inputs, outputs, 3), conv_bn(outputs, outputs, 3))


class Up(nn.Module):
    """Doubles the resolution and joins what the way down had there."""

    def __init__(self, inputs):
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, inputs // 2, 2, 2)
        self.conv = double_conv(inputs, inputs // 2)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], 1))


class UNet(nn.Module):
    def __init__(self, width=16, depth=4, classes=2):
        super().__init__()
        self.stem = double_conv(3, width)
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList([double_conv(width << level, width << (level + 1)) for level in range(depth)])
        self.up1, self.up2, self.up3, self.up4 = [Up(width << level) for level in range(depth, 0, -1)]
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        a = self.stem(x)
        b = self.down[0](self.pool(a))
        c = self.down[1](self.pool(b))
        d = self.down[2](self.pool(c))
        x = self.down[3](self.pool(d))
        x = self.up2(self.up1(x, d), c)
        x = self.up4(self.up3(x, b), a)
        return self.head(x)


def unet():
    return UNet()
