"""What configuration says about one word that one might give to ssh, in the form in which `ssh -G` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Options = Mapping[str, tuple[str, ...]]  # keyword in lower case, and its values in order
YES = ("yes", "true")
DEFAULT_IDENTITIES = tuple(f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"))


class Configuration(Protocol):
    """Who knows what is configured."""

    def made_for(self, words: Sequence[str]) -> set[str]:
        """Those of the words that configuration has something of its own for, beyond what holds for every word."""

    def answers(self, words: Sequence[str], user: str = "") -> dict[str, Options | str]:
        """What holds for each word, logging in as `user` where that is given; or why it is not known, in a sentence."""


def one(options: Options, keyword: str, otherwise: str = "") -> str:
    """The value of something that has one; "none" is none."""
    value = options.get(keyword, (otherwise,))[0]
    return "" if value == "none" else value
