"""Your own photo: EfficientNet-Lite0 reads it, and a heat map shows where in it a class's score comes from."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from utils.widgets.efficientnet import SAMPLES, parcel, picture, stored
from utils.widgets.figure import Figure
from utils.widgets.raster import Photo
from utils.widgets.svg import Panel, percent

UNTOUCHED = {"across": 0, "down": 0, "turn": 0, "zoom": 100, "blur": 0}


class YourPhoto(Figure):
    """EfficientNet-Lite0 of chapter 9 on a photograph of the reader's, or on one of five samples.

    The network, 5 MB, comes when the reader asks for it; a photograph of the reader's stays in the page. ``sample`` is
    one of ``SAMPLES``; the 224 × 224 pixels that the network reads are shifted by ``across`` and ``down``, turned by
    ``turn`` degrees clockwise, at ``zoom`` per cent of their size, each the mean over ``blur`` neighbours on every
    side, twice. ``label`` is the class, 0 … 999, that the heat map is of, if it is among the likeliest five, else it is
    of the likeliest; ``heat`` shows it. ``still`` is what the network makes of the sample untouched.
    """

    name: ClassVar[str] = "your_photo"

    sample = traitlets.Enum(SAMPLES, SAMPLES[0]).tag(sync=True)
    across = traitlets.Int(0, min=-112, max=112).tag(sync=True)
    down = traitlets.Int(0, min=-112, max=112).tag(sync=True)
    turn = traitlets.Int(0, min=-180, max=180).tag(sync=True)
    zoom = traitlets.Int(100, min=50, max=400).tag(sync=True)
    blur = traitlets.Int(0, min=0, max=12).tag(sync=True)
    label = traitlets.Int(-1, min=-1, max=999).tag(sync=True)
    heat = traitlets.Bool(True).tag(sync=True)
    still = traitlets.Dict().tag(sync=True)

    def __init__(self, sample: str = SAMPLES[0], **traits: Any) -> None:
        """Take the sample, then the other traits by keyword."""
        super().__init__(sample=sample, **traits)
        self._read()
        self.on_msg(lambda figure, content, buffers: figure.send(*parcel()))

    @traitlets.observe("sample")
    def _read(self, change: Any = None) -> None:
        self.still = {
            "sample": self.sample,
            "photo": picture(self.sample, small=True),
            **stored()["samples"][self.sample],
        }

    @property
    def touched(self) -> bool:
        """Whether a slider has changed the photograph."""
        return any(getattr(self, name) != value for name, value in UNTOUCHED.items())

    def sentence(self) -> str:
        """The two likeliest classes, if that is known without the network."""
        if self.touched:
            return f"Load the network to see what it makes of the photo of {self.sample} after these changes."
        first, second = (f"{name} {percent(share)}" for _, name, share in self.still["likeliest"][:2])
        return f"Photo of {self.sample}: {first}, then {second}."

    def panels(self) -> list[Panel]:
        """The photograph under its heat map, and the five likeliest classes; if that is known, else words."""
        if self.touched:
            return [Panel("Your own photo", "neutral", lines=["This state needs the network."])]
        likeliest = self.still["likeliest"]
        place = next((place for place, (label, *_) in enumerate(likeliest) if label == self.label), 0)
        heat = np.reshape(self.still["heat"][place], (7, 7))
        film = np.maximum(heat - heat.mean(), 0) / max(1e-9, heat.max() - heat.mean())
        heading = f"With the heat map of {likeliest[place][1]}" if self.heat else "What the network reads"
        lines = [f"{name}: {percent(share)}" for _, name, share in likeliest]
        return [
            Panel(heading, "input", photo=Photo(self.still["photo"], film * self.heat)),
            Panel("The five likeliest", "output", lines=lines),
        ]
