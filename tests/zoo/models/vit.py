"""Vision transformers (Dosovitskiy et al. 2021): DeiT's Tiny (Touvron et al. 2021), and a smaller one with split projections."""

import torch
from torch import nn

from .attention import EncoderBlock, FusedAttention, SplitAttention


class VisionTransformer(nn.Module):
    def __init__(self, resolution, patch, width, depth, heads, classes, attention):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.2)
        self.position = nn.Parameter(torch.randn(1, (resolution // patch) ** 2 + 1, width) * 0.2)
        self.blocks = nn.Sequential(*[EncoderBlock(width, heads, 4 * width, attention) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.size(0), -1, -1), x], dim=1) + self.position
        x = self.norm(self.blocks(x))
        return self.head(x[:, 0])


def vit_tiny(resolution):
    return VisionTransformer(resolution, 16, 192, 12, 3, 1000, FusedAttention)


def vit_tiny_parameters(resolution):
    """5,717,416 at 224 x 224; there is an embedding of 192 for each patch."""
    return 5717416 - 192 * (14 * 14 - (resolution // 16) ** 2)


def vit_split(resolution):
    return VisionTransformer(resolution, 4, 96, 6, 4, 10, SplitAttention)
