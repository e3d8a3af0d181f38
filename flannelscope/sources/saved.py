"""Objects of the API saved in a file: JSON or YAML, a List of one kind or of several, one object, several documents.

JSON is cut into objects without decoding them (45 MB take half a second); YAML is turned into the same form first.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from flannelscope.errors import UsageError
from flannelscope.model import Value
from flannelscope.text import clean

STDIN = "-"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HOW_TO_SAVE = "Save one with: kubectl get nodes -o json > nodes.json"
_BYTE = re.compile(r"\(byte (\d+)\)")
_STAMP = re.compile(
    rb"(?:lastHeartbeatTime|renewTime|lastTimestamp|lastTransitionTime|creationTimestamp)\"?:\s*\"?"
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"
)


class Saved(Value, frozen=True):
    """One object as it stands in the file: its kind, and its JSON."""

    kind: str
    body: bytes | msgspec.Raw


class _Any(msgspec.Struct):
    """Any object or list: its kind, and its items where it is a list."""

    kind: str | None = None
    items: list[msgspec.Raw] | None = None


_ANY: msgspec.json.Decoder[_Any] = msgspec.json.Decoder(_Any)


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes means it: times stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_bytes(path: str) -> bytes:
    """The file, or what comes on stdin for `-`, as UTF-8. Raises UsageError when it cannot be read.

    PowerShell's `>` writes UTF-16 with a byte order mark.
    """
    try:
        read = sys.stdin.buffer.read() if path == STDIN else Path(path).expanduser().read_bytes()
        return read.decode("utf-16").encode() if read.startswith(_UTF16) else read.removeprefix(codecs.BOM_UTF8)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        raise UsageError(f"This file cannot be read: {said or error}.", path, HOW_TO_SAVE) from error


def objects(text: bytes, path: str) -> list[Saved]:
    """Every object in the file. Raises UsageError, with the line, when it is neither JSON nor YAML or holds no objects."""
    begins = text[:4096].lstrip() or text.lstrip()
    if not begins:
        raise UsageError("This file is empty.", path, HOW_TO_SAVE)
    if begins.startswith(b"{"):
        return list(_from_json(text, path))
    return [saved for document in _documents(text, path) for saved in _objects(document)]


def last_stamp(text: bytes) -> str | None:
    """The newest heartbeat or other time of an object in the file (RFC 3339, UTC, without Z): about when it was saved."""
    newest = max(_STAMP.findall(text), default=None)
    return newest.decode() if newest is not None else None


def _from_json(body: bytes, path: str) -> Iterator[Saved]:
    try:
        yield from _objects(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        found = _BYTE.search(str(error))
        line = body.count(b"\n", 0, int(found[1]) if found else len(body)) + 1
        what = (
            "ends in the middle" if "truncated" in str(error) else f"is not JSON: {clean(_BYTE.sub('', str(error)).strip(), 120)}"
        )
        raise UsageError(f"This file {what}.", f"{path}, line {line}", HOW_TO_SAVE) from error


def _objects(body: bytes | msgspec.Raw, kind: str = "") -> Iterator[Saved]:
    """The object itself, or the items of a list. Items of a NodeList may leave their kind out."""
    head = _ANY.decode(body)
    named = head.kind or kind
    if head.items is None:
        yield Saved(named, body)
        return
    for item in head.items:
        yield from _objects(item, "" if named == "List" else named.removesuffix("List"))


def _documents(body: bytes, path: str) -> Iterable[bytes]:
    """Each YAML document as JSON; empty ones are passed over."""
    try:
        _refuse_aliases(body, path)
        documents = [document for document in yaml.load_all(body, _Loader) if document is not None]
    except yaml.YAMLError as error:
        raise _not_yaml(error, path) from error
    except RecursionError as error:
        raise UsageError("This file is nested too deeply.", path, HOW_TO_SAVE) from error
    for number, document in enumerate(documents, start=1):
        if not isinstance(document, dict):
            what = f"Document {number} of this file is no object of Kubernetes, but {_what_it_is(document)}."
            raise UsageError(what, path, HOW_TO_SAVE)
    try:
        return [msgspec.json.encode(document) for document in documents]
    except (TypeError, UnicodeError, RecursionError) as error:
        raise UsageError(
            f"This file holds what no object of Kubernetes has: {clean(str(error), 120)}.", path, HOW_TO_SAVE
        ) from error


def _refuse_aliases(body: bytes, path: str) -> None:
    """kubectl writes none, and a few lines with aliases can stand for more than fits into memory."""
    if b"*" not in body or b"&" not in body:
        return
    for token in yaml.scan(body, _Loader):
        if isinstance(token, yaml.AliasToken):
            where = f"{path}, line {token.start_mark.line + 1}"
            raise UsageError("This file uses YAML aliases, which kubectl never writes.", where, HOW_TO_SAVE)


def _not_yaml(error: yaml.YAMLError, path: str) -> UsageError:
    mark = getattr(error, "problem_mark", None)
    where = f"{path}, line {mark.line + 1}" if mark is not None else path
    said = clean(str(getattr(error, "problem", None) or getattr(error, "reason", None) or error), 120)
    return UsageError(f"This file is neither JSON nor YAML: {said}.", where, HOW_TO_SAVE)


def _what_it_is(document: Any) -> str:
    kinds = {list: "a list", str: "text", int: "a number", float: "a number", bool: "true or false"}
    return kinds.get(type(document), "something else")
