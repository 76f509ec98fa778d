"""Models made with PyTorch, and what pruning them must give, computed apart from Lathe. Needs torch, so test_python_models.py runs
it in the distribution's Python:

    python3 python_models.py make FOLDER      # NET-scripted.pt and NET-traced.pt with the same weights, data.pt
    python3 python_models.py check NET ALGORITHM SPARSITY SCRIPTED TRACED
                                              # compares two compressed.pt with each other and with the expected model
    python3 python_models.py int8 NET FOLDER  # runs a trial's int8.pt beside the float model; opens its model.pth
    python3 python_models.py masks NET FOLDER # loads a trial's model.pth and mask.pth as NNI's users do
"""

import copy
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10
RECORDS = 96
INPUT = (1, 28, 28)


class LeNet(nn.Module):
    output_layer = "fc2"

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(800, 100)
        self.fc2 = nn.Linear(100, CLASSES)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 800)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)

    followers = {}
    cut = {"conv1": {"conv1"}, "conv2": {"conv2"}, "fc1": {"fc1"}}


class Block(nn.Module):
    def __init__(self, channels, inner):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, inner, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + x)


class Residual(nn.Module):
    output_layer = "fc"

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.blocks = nn.ModuleList([Block(16, 24), Block(16, 12)])
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(self.dropout(x))

    # A batch norm loses the channels of the convolution before it.
    followers = {"stem.0": "stem.1", "blocks.0.conv1": "blocks.0.bn1", "blocks.0.conv2": "blocks.0.bn2",
                 "blocks.1.conv1": "blocks.1.bn1", "blocks.1.conv2": "blocks.1.bn2"}
    # The channels of a layer can be cut out where all of these have lost them.
    cut = {"blocks.0.conv1": {"blocks.0.conv1"}, "blocks.1.conv1": {"blocks.1.conv1"},
           **{name: {"stem.0", "blocks.0.conv2", "blocks.1.conv2"} for name in ("stem.0", "blocks.0.conv2", "blocks.1.conv2")}}


NETS = {"lenet": LeNet, "residual": Residual}


def make_net(name):
    """Weights are as PyTorch initialises them; batch norms are as if trained."""
    torch.manual_seed(len(name))
    net = NETS[name]()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.eval()


def inputs(count):
    return torch.rand(count, *INPUT, generator=torch.Generator().manual_seed(11))


def make(folder):
    for name in NETS:
        net = make_net(name)
        torch.jit.script(net).save(str(folder / f"{name}-scripted.pt"))
        torch.jit.trace(net, inputs(2)).save(str(folder / f"{name}-traced.pt"))
    torch.save((inputs(RECORDS), torch.arange(RECORDS) % CLASSES), folder / "data.pt")


def filter_metric(weight, algorithm):
    """One number a filter (or row), in double."""
    filters = weight.detach().double().flatten(1)
    if algorithm == "l1":
        return filters.abs().sum(1)
    return torch.stack([(filters - one).norm(dim=1).sum() for one in filters])  # fpgm: distance to all others


def smallest_are_zero(metric, sparsity):
    """A mask in which trunc(n s) of the smallest are 0, the earlier index first among equals."""
    mask = torch.ones(metric.numel())
    order = torch.argsort(metric.flatten(), stable=True)
    mask[order[:math.trunc(metric.numel() * sparsity)]] = 0
    return mask


def prunable(net):
    return {name: module for name, module in net.named_modules()
            if isinstance(module, (nn.Conv2d, nn.Linear)) and name != net.output_layer}


def masked_net(net, algorithm, sparsity):
    """The net with its masks applied, and the indices of the filters that each layer keeps."""
    net, modules, kept = copy.deepcopy(net), dict(net.named_modules()), {}
    masked = dict(net.named_modules())
    with torch.no_grad():
        for name in prunable(net):
            weight = modules[name].weight
            if algorithm == "level":
                mask = smallest_are_zero(weight.detach().abs(), sparsity).view_as(weight)
                masked[name].weight.mul_(mask)
                if masked[name].bias is not None:  # goes where all weights of its row do
                    masked[name].bias.mul_(mask.flatten(1).amax(1))
                continue
            mask = smallest_are_zero(filter_metric(weight, algorithm), sparsity)
            kept[name] = set(mask.nonzero().flatten().tolist())
            for layer in filter(None, (name, net.followers.get(name))):
                masked[layer].weight.mul_(mask.view(-1, *[1] * (masked[layer].weight.dim() - 1)))
                if masked[layer].bias is not None:
                    masked[layer].bias.mul_(mask)
    return net, kept


def expected_channels(net, kept):
    """The output channels that the layers have after speed-up."""
    return {name: len(set().union(*(kept[tied] for tied in net.cut[name]))) for name in kept}


def expect(condition, what):
    if not condition:
        sys.exit(f"python_models: {what}")


def check_same(scripted, traced):
    ours, theirs = scripted.state_dict(), traced.state_dict()
    expect(list(ours) == list(theirs), f"names differ: {list(ours)} and {list(theirs)}")
    for name, tensor in ours.items():
        expect(tensor.shape == theirs[name].shape, f"{name}: {tuple(tensor.shape)} and {tuple(theirs[name].shape)}")
        expect(torch.equal(tensor, theirs[name]), f"{name}: scripted and traced differ")


def check(name, algorithm, sparsity, scripted_file, traced_file):
    net = make_net(name)
    scripted, traced = (torch.jit.load(file).eval() for file in (scripted_file, traced_file))
    check_same(scripted, traced)
    masked, kept = masked_net(net, algorithm, sparsity)
    state = scripted.state_dict()
    if algorithm == "level":
        for key, tensor in masked.state_dict().items():
            expect(torch.equal(tensor != 0, state[key] != 0), f"{key}: the mask is another")
            expect(torch.equal(tensor, state[key]), f"{key}: weights that are kept have changed")
    for layer, channels in expected_channels(net, kept).items():
        found = state[f"{layer}.weight"].shape[0]
        expect(found == channels, f"{layer}: {found} filters, expected {channels}")
    batch = inputs(8)
    with torch.no_grad():
        wanted = masked(batch)
        difference = max((model(batch) - wanted).abs().max().item() for model in (scripted, traced))
        changed = (net(batch) - wanted).abs().max().item()
    expect(difference < 1e-5, f"outputs differ from the masked model's by {difference}")
    expect(changed > 1e-3, "the masked model computes what the original does; the comparison tells nothing")
    print(json.dumps({"difference": difference, "parameters": sum(p.numel() for p in scripted.parameters())}))


def check_int8(name, folder):
    net = make_net(name)
    torch.backends.quantized.engine = "onednn"
    model = torch.jit.load(str(folder / "int8.pt")).eval()
    expect(model.quantized_engine == "onednn", f"the file names the engine {model.quantized_engine}")
    net.load_state_dict(torch.load(folder / "model.pth"))
    batch = inputs(RECORDS)
    with torch.no_grad():
        ours, wanted = model(batch), net(batch)
    difference = (ours - wanted).abs().max().item() / wanted.abs().max().item()
    expect(difference < 0.25, f"outputs differ from the float model's by {difference} of the largest")
    right = (ours.argmax(1) == torch.arange(RECORDS) % CLASSES).sum().item()
    print(json.dumps({"difference": difference, "accuracy": right / RECORDS}))


def check_masks(name, folder):
    net, masks = make_net(name), torch.load(folder / "mask.pth")
    net.load_state_dict(torch.load(folder / "model.pth"))
    modules = dict(net.named_modules())
    for layer, mask in masks.items():
        for part, values in mask.items():
            tensor = getattr(modules[layer], part)
            expect(values.shape == tensor.shape, f"{layer}.{part}: a mask of {tuple(values.shape)}")
            expect(not tensor[values == 0].any(), f"{layer}.{part}: masked weights are not zero")
    print(json.dumps({"layers": list(masks), "kept": sum(mask["weight"].sum().item() for mask in masks.values())}))


def main(words):
    if words[0] == "make":
        make(Path(words[1]))
    elif words[0] in ("int8", "masks"):
        {"int8": check_int8, "masks": check_masks}[words[0]](words[1], Path(words[2]))
    else:
        name, algorithm, sparsity, scripted, traced = words[1:]
        check(name, algorithm, float(sparsity), scripted, traced)


if __name__ == "__main__":
    main(sys.argv[1:])
