#!/usr/bin/env python3
"""Writes models of the zoo as TorchScript, for zoo-check: build.py OUT_DIR [NAME …].

    NAME.scripted.pt   torch.jit.script
    NAME.traced.pt     torch.jit.trace, the same weights
    NAME.input.pt      one batch of input, a plain tensor
    NAME.FORM.onnx     torch.onnx.export, the same weights; only when asked for, see ONNX_FORMS

Needs torch (Debian: python3-torch)."""

import argparse
import copy
import os
import sys
import warnings
from pathlib import Path

import torch

from models import CATALOG, build


TORCHSCRIPT_FORMS = ("scripted", "traced")
ONNX_OPSET = 17
BATCH_AXES = {"input": {0: "batch"}, "output": {0: "batch"}}

# What users set differently: whether the batch is open, whether constants are computed while it is written, and whether
# batch norms and dropouts stay what they are in training.
ONNX_FORMS = {
    "dynamic": {"dynamic_axes": BATCH_AXES, "do_constant_folding": False},
    "dynamic_folded": {"dynamic_axes": BATCH_AXES, "do_constant_folding": True},
    "fixed": {"do_constant_folding": False},
    "fixed_folded": {"do_constant_folding": True},
    "training": {"dynamic_axes": BATCH_AXES, "do_constant_folding": False, "training": torch.onnx.TrainingMode.TRAINING},
}


def save(what, path, write):
    """A file that is there is whole."""
    unfinished = path.with_name(path.name + ".part")
    write(what, str(unfinished))
    os.replace(unfinished, path)


def norms_at_rest(net):
    """A copy whose batch norms keep their running statistics. In training mode the exporter runs the model before it
    writes the statistics, which would then be others than those of the .pt."""
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 0
    return net


def export_onnx(net, example, path, form):
    if form == "training":
        net = norms_at_rest(net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that tracing keeps constants is what it is for
        save(net, path, lambda model, file: torch.onnx.export(model, example, file, opset_version=ONNX_OPSET,
                                                              input_names=["input"], output_names=["output"],
                                                              **ONNX_FORMS[form]))


def write_model(name, folder, resolution, seed, forms):
    net, example = build(name, resolution, seed)
    save(example, folder / f"{name}.input.pt", torch.save)
    with torch.no_grad():
        if "scripted" in forms:
            save(torch.jit.script(net), folder / f"{name}.scripted.pt", torch.jit.save)
        if "traced" in forms:
            save(torch.jit.trace(net, example, check_trace=False), folder / f"{name}.traced.pt", torch.jit.save)
    for form in ONNX_FORMS:
        if form in forms:
            export_onnx(net, example, folder / f"{name}.{form}.onnx", form)
    print(f"{name}: {sum(p.numel() for p in net.parameters()):,} parameters, input {tuple(example.shape)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="OUT_DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(CATALOG)}")
    parser.add_argument("--resolution", type=int, help="height and width of the input (default: the paper's)")
    parser.add_argument("--small", action="store_true", help="the smallest resolution that each model makes sense at")
    parser.add_argument("--form", choices=(*TORCHSCRIPT_FORMS, *ONNX_FORMS), action="append",
                        help="default: scripted and traced")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.names if name not in CATALOG]
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(CATALOG)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or CATALOG:
        resolution = CATALOG[name].small if options.small else options.resolution
        write_model(name, options.folder, resolution, options.seed, options.form or TORCHSCRIPT_FORMS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
