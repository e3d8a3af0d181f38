"""What threads tell the app; everything in here is a value."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from flannelscope import wire


@dataclass
class Arrived(Message):
    """The engine said so much since the last message."""

    events: tuple[wire.Event, ...]


@dataclass
class EngineEnded(Message):
    """The engine's process ended without being asked: how, and the last it wrote to standard error (cleaned)."""

    how: str
    said: str
