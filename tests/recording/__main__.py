"""Make the recordings of tests/data/recorded again: `python -m tests.recording [FOLDER]`, some two minutes.

Debian's kernel and the emulator are downloaded by apt-get and unpacked in a folder of their own: nothing is installed, and the
machine that runs has no network, no disk, and nothing of this one but the programs that it needs. `steps.sh` is what happens on
it. flannel is the lab's (`python -m tests.lab build`).
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.lab.programs import program

HERE = Path(__file__).parent
RECORDED = HERE.parent / "data/recorded"
PACKAGES = ("qemu-system-x86", "linux-image-cloud-amd64", "wireguard-tools", "kmod")
TOOLS = (
    *("/bin/bash", "/sbin/ip", "/sbin/bridge", "/sbin/tc", "/bin/ping", "/usr/bin/etcd", "/usr/bin/etcdctl"),
    *("/usr/sbin/ebtables-legacy", "/usr/sbin/xtables-nft-multi", "/usr/bin/stat", "/usr/bin/dmesg"),
)
NFT_NAMES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")
MODULES = ("net", "lib", "crypto", "arch/x86/crypto", "drivers/net")
SECONDS = 300
KEY = re.compile(r"^(\S+\t)[A-Za-z0-9+/]{43}=(?=\t[A-Za-z0-9+/]{43}=\t\d+\t)", re.MULTILINE)  # of a device, in `wg show all dump`
HIDDEN = "A" * 43 + "="


def main(work: Path) -> None:
    """Build the machine in a folder, run it, and keep what it says."""
    system, root = work / "system", work / "root"
    unpack(work / "packages", system)
    build(system, root)
    archive(root, work / "root.gz")
    run(system, work)
    with tempfile.TemporaryDirectory() as said:
        with tarfile.open(work / "said.tar") as tar:
            tar.extractall(said, filter="data")
        keep(Path(said))


def unpack(packages: Path, system: Path) -> None:
    """Download the packages with what they need, and unpack them all."""
    (packages / "partial").mkdir(parents=True, exist_ok=True)
    options = ["--download-only", "--yes", "--no-install-recommends", "--reinstall", "-o", f"Dir::Cache::archives={packages}"]
    subprocess.run(["apt-get", "install", *options, *PACKAGES], check=True, stdout=subprocess.DEVNULL)
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(system)], check=True)


def build(system: Path, root: Path) -> None:
    """The machine's root folder."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "sbin", "proc", "sys", "dev", "run", "tmp", "etc", "root", "out", "usr/sbin", "var/lib"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for tool in (*map(Path, TOOLS), *libraries(*TOOLS)):
        copy(tool, root / str(tool).lstrip("/"))
    copy(Path("/usr/bin/busybox"), root / "bin/busybox")
    copy(system / "usr/bin/wg", root / "bin/wg")
    copy(program("flanneld"), root / "bin/flanneld")
    (root / "sbin/modprobe").symlink_to("/bin/busybox")  # the kernel asks for it by this name
    for name in NFT_NAMES:
        (root / "usr/sbin" / name).symlink_to("xtables-nft-multi")
    for folder in ("/etc/iproute2", "/usr/lib/x86_64-linux-gnu/xtables"):
        shutil.copytree(folder, root / folder.lstrip("/"))
    for file in ("ethertypes", "protocols", "services"):
        copy(Path("/etc", file), root / "etc" / file)
    add_modules(system, root)
    copy(HERE / "init.sh", root / "init")
    (root / "init").chmod(0o755)
    copy(HERE / "steps.sh", root / "steps.sh")


def add_modules(system: Path, root: Path) -> None:
    """The kernel's modules that have to do with networks."""
    source = next((system / "lib/modules").iterdir())
    target = root / "lib/modules" / source.name
    for part in MODULES:
        shutil.copytree(source / "kernel" / part, target / "kernel" / part)
    for listed in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        copy(source / listed, target / listed)
    depmod = system / "depmod"  # kmod does what its name says
    copy(system / "bin/kmod", depmod)
    subprocess.run([str(depmod), "-b", str(root), source.name], check=True, env=with_libraries(system))


def libraries(*tools: str) -> set[Path]:
    """Shared libraries of programs, the loader among them."""
    said = subprocess.run(["ldd", *tools], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(/\S+\.so\S*) \(0x", said)}


def copy(source: Path, target: Path) -> None:
    """A file and its mode, whatever folder it needs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def archive(root: Path, target: Path) -> None:
    """The root folder as the kernel wants it: cpio, "newc", compressed."""
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    packed = subprocess.run(
        ["busybox", "cpio", "-o", "-H", "newc"], input=names.encode(), cwd=root, capture_output=True, check=True
    )
    target.write_bytes(gzip.compress(packed.stdout, 1))


def run(system: Path, work: Path) -> None:
    """Run the machine to its end, without any help of this kernel's."""
    kernel = next((system / "boot").glob("vmlinuz-*"))
    argv = [
        str(system / "usr/bin/qemu-system-x86_64"), "-L", str(system / "usr/share/qemu"), "-L", str(system / "usr/share/seabios"),
        "-accel", "tcg,thread=multi", "-cpu", "qemu64", "-smp", "2", "-m", "1500", "-nodefaults", "-display", "none",
        "-no-reboot", "-kernel", str(kernel), "-initrd", str(work / "root.gz"), "-append", "console=ttyS0 panic=1 quiet",
        "-serial", f"file:{work / 'console.log'}", "-serial", f"file:{work / 'said.tar'}",
    ]  # fmt: skip
    subprocess.run(argv, check=True, timeout=SECONDS, env=with_libraries(system))


def with_libraries(system: Path) -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    return {"LD_LIBRARY_PATH": ":".join(str(system / part / "x86_64-linux-gnu") for part in ("usr/lib", "lib"))}


def keep(said: Path) -> None:
    """Put the outputs where tests find them, with the command of each; a key that was a device's is hidden."""
    made_by = " · ".join((said / "made-by").read_text().split("\n")[:-1])
    for listed in sorted(said.glob("*/commands")):
        folder = RECORDED / listed.parent.name
        shutil.rmtree(folder, ignore_errors=True)
        commands = dict(line.split("\t", 1) for line in listed.read_text().splitlines())
        for name in commands:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(KEY.sub(rf"\g<1>{HIDDEN}", (listed.parent / name).read_text()))
        lines = [f"{name}\t{command}\n" for name, command in sorted(commands.items())]
        notes = (listed.parent / "by-hand").read_text()
        (folder / "ORIGIN").write_text(f"Recorded on: {made_by}\nBy hand: {notes}\n\n{''.join(lines)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="recording-")).absolute())
