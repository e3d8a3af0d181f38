"""Images for containerd as files: what `docker save` would write, made of programs of this machine, without a registry.

An image is one layer. It holds a program with the libraries that `ldd` names, so that it runs wherever this machine's
kernel does.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab.places import cache
from tests.lab.programs.recipes import RECIPES
from tests.lab.programs.shelf import program, stands
from tests.lab.programs.tools import PATH

MADE = 1  # counts changes of what is below, so that no image of before is taken for one of now
BUSYBOX = "lab.local/busybox:1"
IN_BUSYBOX = "sh sleep ping ip ls cat wget nc hostname ps kill arp route traceroute nslookup httpd"
IN_FLANNEL = "sh cp sleep cat ip ls ps kill"
IPTABLES = "iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore"
ENVIRONMENT = ["PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def flannel_image(version: str) -> str:
    """The reference of flannel's image of a version."""
    return f"lab.local/flannel:v{version}"


def flannel_versions() -> list[str]:
    """Versions of flannel that are built."""
    return [recipe.version for recipe in RECIPES if recipe.name == "flannel" and stands(recipe)]


def archive(reference: str) -> Path:
    """Where the image of a reference lies as a file."""
    return cache() / "images" / f"{reference.rpartition('/')[2].replace(':', '-')}.{MADE}.tar"


def archives() -> list[Path]:
    """Every image that there is to be, as files for `ctr images import`."""
    return [archive(BUSYBOX), *(archive(flannel_image(version)) for version in flannel_versions())]


def stand() -> bool:
    """Whether all images are made."""
    return all(path.is_file() for path in archives())


def make(say: Callable[[str], None]) -> None:
    """Write the images that are not there."""
    (cache() / "images").mkdir(parents=True, exist_ok=True)
    if not archive(BUSYBOX).is_file():
        _write(BUSYBOX, lambda root: _busybox(root, IN_BUSYBOX), ["/bin/sleep", "1000000"])
        say(f"{BUSYBOX}: made")
    for version in flannel_versions():
        if not archive(flannel_image(version)).is_file():
            _write(flannel_image(version), _flannel(version), ["/opt/bin/flanneld"])
            say(f"{flannel_image(version)}: made")


def _flannel(version: str) -> Callable[[Path], None]:
    """flanneld and what it calls: both generations of iptables, nft, and the shell of its init container."""

    def fill(root: Path) -> None:
        _busybox(root, IN_FLANNEL)
        (root / "opt/bin").mkdir(parents=True)
        (root / "usr/sbin").mkdir(parents=True)
        flanneld = program("flanneld", version)
        shutil.copy(flanneld, root / "opt/bin/flanneld")
        filters = [_found(name) for name in ("xtables-nft-multi", "xtables-legacy-multi", "nft")]
        for file in filters:
            shutil.copy(file, root / "usr/sbin" / file.name)
        for library in sorted(_libraries([flanneld, *filters])):
            _copy_to(root, library)
        for extensions in sorted(Path("/usr/lib").glob("*/xtables")):
            shutil.copytree(extensions, root / str(extensions).lstrip("/"))
        for name in IPTABLES.split():
            (root / "usr/sbin" / name).symlink_to("xtables-nft-multi")
            (root / "usr/sbin" / name.replace("tables", "tables-legacy", 1)).symlink_to("xtables-legacy-multi")

    return fill


def _busybox(root: Path, applets: str) -> None:
    for name in ("bin", "tmp", "etc", "proc", "sys", "dev", "run"):
        (root / name).mkdir(parents=True)
    shutil.copy(_found("busybox"), root / "bin/busybox")
    for applet in applets.split():
        (root / "bin" / applet).symlink_to("busybox")


def _found(name: str) -> Path:
    place = shutil.which(name, path=PATH)
    if place is None:
        raise FileNotFoundError(f"{name} is not installed")
    return Path(place)


def _libraries(programs: Sequence[Path]) -> set[Path]:
    """The libraries that programs are linked with, the loader among them; a static one has none."""
    found: set[Path] = set()
    for file in programs:
        said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
        for line in said.splitlines():
            place = line.rpartition("=>")[2].partition("(")[0].strip()
            if place.startswith("/"):
                found.add(Path(place))
    return found


def _copy_to(root: Path, file: Path) -> None:
    place = root / str(file).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)


def _write(reference: str, fill: Callable[[Path], None], command: list[str]) -> None:
    """Fill a folder, and write it as an image under its name once that is whole."""
    with tempfile.TemporaryDirectory(dir=cache() / "images") as place:
        root = Path(place) / "root"
        root.mkdir()
        fill(root)
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as tar:
            tar.add(root, arcname=".", filter=_nobody_in_particular)
        whole = Path(place) / "image.tar"
        with tarfile.open(whole, "w") as tar:
            for name, content in _contents(reference, layer.getvalue(), command).items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        whole.rename(archive(reference))


def _contents(reference: str, layer: bytes, command: list[str]) -> dict[str, bytes]:
    """The files of a docker archive: configuration, layer, manifest."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    digest = hashlib.sha256(layer).hexdigest()
    configuration = json.dumps(
        {
            "architecture": machine,
            "os": "linux",
            "config": {"Cmd": command, "Env": ENVIRONMENT},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": [f"{digest}/layer.tar"]}]).encode()
    return {name: configuration, f"{digest}/layer.tar": layer, "manifest.json": manifest}


def _nobody_in_particular(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same bytes whoever makes them and whenever."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
