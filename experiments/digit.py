"""The network of chapter 7's figure: LeNet-5, trained as in the chapter, in 8 bits, and test digits to read.

``python -m experiments.digit`` writes utils/widgets/draw_digit.json.
"""

from __future__ import annotations

import base64
import json

import numpy as np
import torch

from experiments.runs import digits
from utils.models import lenet5
from utils.training import evaluate, fit
from utils.widgets import draw_digit, lenet

EPOCHS, RATE = 10, 0.003


def trained() -> torch.nn.Module:
    """The chapter's network."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = lenet5()
    fit(network, digits("train"), epochs=EPOCHS, optimizer=torch.optim.Adam(network.parameters(), RATE))
    return network


def rounded(text: str) -> torch.nn.Module:
    """A network with the weights that a figure's text holds."""
    network = lenet5()
    tensors = lenet.unpacked_network(text)
    network.load_state_dict(
        {name: torch.from_numpy(tensor) for name, tensor in zip(network.state_dict(), tensors, strict=True)}
    )
    return network


def chosen(network: torch.nn.Module) -> list[int]:
    """Thirty test digits: the first two of each kind that it reads rightly, and the first ten that it misreads."""
    images, labels = digits("test")
    right = evaluate(network, (images, labels)).predicted == labels
    kinds = [torch.nonzero(right & (labels == kind))[:2, 0] for kind in range(10)]
    return torch.cat([*kinds, torch.nonzero(~right)[:10, 0]]).tolist()


def main() -> None:
    """Train, round, and write what the figure needs."""
    network = trained()
    weights = lenet.packed_network([tensor.numpy() for tensor in network.state_dict().values()])
    eight_bits = rounded(weights)
    images, labels = digits("test")
    rows = [[labels[i].item(), *np.round(255 * images[i].numpy()).ravel()] for i in chosen(eight_bits)]
    before, after = (evaluate(each, (images, labels)).accuracy for each in (network, eight_bits))
    content = {
        "about": f"LeNet-5, {EPOCHS} epochs of Adam at {RATE} on 3,000 MNIST digits, in 8 bits; 30 test digits",
        "made by": "python -m experiments.digit",
        "test accuracy": {"as trained": round(before, 4), "in 8 bits": round(after, 4)},
        "weights": weights,
        "digits": base64.b64encode(np.array(rows, np.uint8).tobytes()).decode(),
    }
    draw_digit.FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
