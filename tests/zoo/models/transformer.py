"""A transformer encoder (Vaswani et al. 2017) that classifies sequences of tokens."""

import torch
from torch import nn

from .attention import EncoderBlock, FusedAttention, SplitAttention


class TokenEncoder(nn.Module):
    def __init__(self, attention, vocabulary=1000, length=32, width=128, depth=4, heads=4, classes=10):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList([EncoderBlock(width, heads, 4 * width, attention, eps=1e-5) for _ in range(depth)])
        self.last_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)

    def forward(self, tokens):
        places = torch.arange(tokens.size(1), device=tokens.device)
        x = self.norm(self.words(tokens) + self.places(places))
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.last_norm(x).mean(dim=1))


def token_encoder():
    return TokenEncoder(SplitAttention)


def token_encoder_fused():
    return TokenEncoder(FusedAttention)
