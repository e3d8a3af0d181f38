"""The model of the podCIDR allocator against Kubernetes' own code, on random pools."""

from __future__ import annotations

import ipaddress
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from flannelscope.allocator import CidrSet, OutOfRange
from flannelscope.cidr import parse, show
from flannelscope.model import Prefix
from tests.lab.programs.recipes import kubernetes
from tests.lab.settings import KUBERNETES

SOURCE = Path(__file__).parent / "go/cidrset/main.go"
FULL = "!CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range"


class Pool(NamedTuple):
    """A cluster CIDR, a node mask, and what is done to it in turn: (verb, CIDR)."""

    cluster: str
    mask: int
    operations: list[tuple[str, str]]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built with the modules that the lab's controller manager was built with."""
    modules = kubernetes(KUBERNETES).modules
    if shutil.which("go") is None:
        pytest.skip("there is no go here to build Kubernetes' allocator with")
    place = tmp_path_factory.mktemp("cidrset")
    for file in (SOURCE, modules / "go.mod", modules / "go.sum"):
        shutil.copy(file, place)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    done = subprocess.run(["go", "build", "-o", "cidrset", "."], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return place / "cidrset"


def test_model_answers_as_kubernetes_does(oracle: Path) -> None:
    pools = [random_pool(random.Random(seed)) for seed in range(400)]
    asked = [{"cluster": p.cluster, "mask": p.mask, "operations": p.operations} for p in pools]
    done = subprocess.run([str(oracle)], input=json.dumps(asked), capture_output=True, text=True, check=True)
    theirs: list[list[str]] = json.loads(done.stdout)

    assert sum(len(answers) for answers in theirs) > 10_000
    for pool, expected in zip(pools, theirs, strict=True):
        ours = modelled(pool)
        for step, (mine, real) in enumerate(zip(ours, expected, strict=True)):
            assert mine == real, f"{pool.cluster} /{pool.mask}, after {pool.operations[: step + 1]}"


def modelled(pool: Pool) -> list[str]:
    """What the model answers, in the words of the Go program."""
    try:
        blocks = CidrSet(prefix(pool.cluster), pool.mask)
    except ValueError as refused:
        return [f"!{refused}"]
    return [answer(blocks, verb, cidr) for verb, cidr in pool.operations]


def answer(blocks: CidrSet, verb: str, cidr: str) -> str:
    if verb == "allocate":
        block = blocks.allocate_next()
        return FULL if block is None else show(block)
    try:
        (blocks.occupy if verb == "occupy" else blocks.release)(prefix(cidr))
    except OutOfRange as error:
        return f"!{error}"
    return ""


def random_pool(rng: random.Random) -> Pool:
    """Small pools, so that they fill up; every length of prefix around them, inside and outside."""
    family = rng.choice((4, 4, 6))
    bits = 32 if family == 4 else 128
    length = rng.randint(8, 24) if family == 4 else rng.choice((44, 48, 52, 56, 60, 64, 96, 112))
    mask = min(bits, length + rng.choice((0, 1, 2, 3, 4, 6, 8, 12, 16, 17)))
    if family == 4 and mask - length > 16:
        mask = length + 16
    start = rng.getrandbits(bits)
    operations = [operation(rng, start, length, mask, bits) for _ in range(rng.randint(20, 80))]
    return Pool(network(start, length, bits), mask, operations)


def operation(rng: random.Random, start: int, length: int, mask: int, bits: int) -> tuple[str, str]:
    verb = rng.choices(("allocate", "occupy", "release"), (5, 3, 2))[0]
    if verb == "allocate":
        return verb, ""
    size = rng.choice((mask, mask, mask, rng.randint(max(1, length - 3), bits), rng.randint(length, mask)))
    near = start >> (bits - length) << (bits - length) | rng.getrandbits(bits - length or 1) % (1 << (bits - length))
    address = near if rng.random() < 0.9 else rng.getrandbits(bits)
    return verb, network(address, size, bits)


def network(address: int, length: int, bits: int) -> str:
    whole = ipaddress.IPv4Address(address) if bits == 32 else ipaddress.IPv6Address(address)
    return str(ipaddress.ip_network((whole, length), strict=False))


def prefix(text: str) -> Prefix:
    found = parse(text)
    assert found is not None, text
    return found
