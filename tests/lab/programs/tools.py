"""What of the lab comes with the system, and in which Debian package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sudo": "sudo",
    "iptables": "iptables",
    "iptables-legacy": "iptables",
    "nft": "nftables",
    "ebtables": "ebtables",
    "ethtool": "ethtool",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "fping": "fping",
    "busybox": "busybox-static",
    "socat": "socat",
    "tcpdump": "tcpdump",
    "tmux": "tmux",
    "ps": "procps",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def lacking() -> list[str]:
    """The Debian packages without which the lab cannot be had and which are not installed, each once."""
    return list(dict.fromkeys(package for tool, package in PACKAGES.items() if not _there(tool)))


def _there(tool: str) -> bool:
    return Path(tool).is_file() if tool.startswith("/") else shutil.which(tool, path=PATH) is not None
