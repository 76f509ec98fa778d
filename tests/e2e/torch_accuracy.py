"""python3 torch_accuracy.py MODEL.pt IMAGES LABELS SHAPE: the share of records that a TorchScript file puts into the right class.
IMAGES are bytes, which become 0 … 1; LABELS a byte each; SHAPE that of one record, e.g. 1,28,28. Needs torch, and nothing of Lathe."""

import json
import sys
from pathlib import Path

import torch

BATCH = 250


def main(model_file, images_file, labels_file, shape_text):
    torch.set_num_threads(1)
    torch.backends.quantized.engine = "onednn"
    model = torch.jit.load(model_file).eval()
    shape = [int(size) for size in shape_text.split(",")]
    images = torch.tensor(list(Path(images_file).read_bytes()), dtype=torch.uint8).view(-1, *shape)
    labels = torch.tensor(list(Path(labels_file).read_bytes()))
    right = 0
    with torch.no_grad():
        for inputs, targets in zip(images.split(BATCH), labels.split(BATCH)):
            right += (model(inputs.float() / 255).argmax(1) == targets).sum().item()
    print(json.dumps({"accuracy": right / len(labels), "records": len(labels)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
