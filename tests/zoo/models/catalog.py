"""What is in the zoo, and how a model of it is made."""

from dataclasses import dataclass
from typing import Callable, Optional

import torch
from torch import nn

from .densenet import densenet121, densenet121_lists
from .efficientnet import efficientnet_b0
from .googlenet import googlenet
from .mobilenet import mobilenet_v2, mobilenet_v3_large
from .regnet import regnet_x_400mf
from .resnet import resnet18, resnet50, se_resnet18
from .shufflenet import shufflenet_v2_x1_0
from .transformer import token_encoder, token_encoder_fused
from .unet import unet
from .vgg import vgg16_bn
from .vit import vit_split, vit_tiny, vit_tiny_parameters

BATCH = 2
TOKENS, VOCABULARY = 32, 1000


@dataclass(frozen=True)
class Entry:
    """`make` gets the resolution where `sized`. `parameters` is the published count, at a resolution where that matters."""

    make: Callable
    resolution: int = 224  # of the paper; 0: the input is tokens
    small: int = 64  # what tests can do with
    parameters: Optional[Callable[[int], int]] = None
    sized: bool = False


def published(count):
    return lambda resolution: count


CATALOG = {
    "resnet18": Entry(resnet18, parameters=published(11689512)),
    "resnet50": Entry(resnet50, parameters=published(25557032)),
    "se_resnet18": Entry(se_resnet18, parameters=published(11778592)),
    "vgg16_bn": Entry(vgg16_bn, parameters=published(138365992)),
    "mobilenet_v2": Entry(mobilenet_v2, parameters=published(3504872)),
    "mobilenet_v3_large": Entry(mobilenet_v3_large, parameters=published(5483032)),
    "efficientnet_b0": Entry(efficientnet_b0, parameters=published(5288548)),
    "densenet121": Entry(densenet121, parameters=published(7978856)),
    "densenet121_lists": Entry(densenet121_lists, parameters=published(7978856)),
    "shufflenet_v2_x1_0": Entry(shufflenet_v2_x1_0, parameters=published(2278604)),
    "googlenet": Entry(googlenet),
    "regnet_x_400mf": Entry(regnet_x_400mf, parameters=published(5495976)),
    "unet": Entry(unet, resolution=256),
    "vit_tiny": Entry(vit_tiny, parameters=vit_tiny_parameters, sized=True),
    "vit_split": Entry(vit_split, resolution=32, small=32, sized=True),
    "token_encoder": Entry(token_encoder, resolution=0, small=0),
    "token_encoder_fused": Entry(token_encoder_fused, resolution=0, small=0),
}


def example_of(resolution, batch, generator):
    if resolution == 0:
        return torch.randint(VOCABULARY, (batch, TOKENS), generator=generator)
    return torch.randn(batch, 3, resolution, resolution, generator=generator)


def scramble_batch_norms(net, example, generator):
    """As after a training that went its own way: statistics near those of the data, so that no signal dies or explodes on the
    way through a deep network, but shifts and scales at random, so that a channel without its filter is still not zero."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
        norm.momentum = 1.0
    with torch.no_grad():
        net.train()(example)
        for norm in norms:
            norm.momentum = 0.1
            spread = norm.running_var.clamp_min(1e-6).sqrt()
            norm.running_mean += 0.3 * spread * torch.randn(spread.shape, generator=generator)
            norm.running_var = spread ** 2 * torch.empty_like(spread).uniform_(0.7, 1.4, generator=generator)


def build(name, resolution=None, seed=0):
    """The model in eval mode and a batch of input for it. Errors: a count of parameters that is not the published one."""
    entry = CATALOG[name]
    resolution = entry.resolution if resolution is None or entry.resolution == 0 else resolution
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = entry.make(resolution) if entry.sized else entry.make()
    count = sum(parameter.numel() for parameter in net.parameters())
    if entry.parameters is not None and count != entry.parameters(resolution):
        raise AssertionError(f"{name}: {count:,} parameters, published are {entry.parameters(resolution):,}")
    scramble_batch_norms(net, example_of(resolution, 8, generator), generator)
    return net.eval(), example_of(resolution, BATCH, generator)
