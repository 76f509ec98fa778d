#!/usr/bin/env python3
"""Writes models of the zoo as TorchScript, for zoo-check: build.py OUT_DIR [NAME …].

    NAME.scripted.pt   torch.jit.script
    NAME.traced.pt     torch.jit.trace, the same weights
    NAME.input.pt      one batch of input, a plain tensor

Needs torch (Debian: python3-torch)."""

import argparse
import os
import sys
from pathlib import Path

import torch

from models import CATALOG, build


def save(what, path, write):
    """A file that is there is whole."""
    unfinished = path.with_name(path.name + ".part")
    write(what, str(unfinished))
    os.replace(unfinished, path)


def write_model(name, folder, resolution, seed, forms):
    net, example = build(name, resolution, seed)
    save(example, folder / f"{name}.input.pt", torch.save)
    with torch.no_grad():
        if "scripted" in forms:
            save(torch.jit.script(net), folder / f"{name}.scripted.pt", torch.jit.save)
        if "traced" in forms:
            save(torch.jit.trace(net, example, check_trace=False), folder / f"{name}.traced.pt", torch.jit.save)
    print(f"{name}: {sum(p.numel() for p in net.parameters()):,} parameters, input {tuple(example.shape)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="OUT_DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(CATALOG)}")
    parser.add_argument("--resolution", type=int, help="height and width of the input (default: the paper's)")
    parser.add_argument("--small", action="store_true", help="the smallest resolution that each model makes sense at")
    parser.add_argument("--form", choices=("scripted", "traced"), action="append", help="default: both")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.names if name not in CATALOG]
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(CATALOG)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or CATALOG:
        resolution = CATALOG[name].small if options.small else options.resolution
        write_model(name, options.folder, resolution, options.seed, options.form or ("scripted", "traced"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
