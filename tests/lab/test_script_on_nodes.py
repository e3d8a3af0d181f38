"""The script of all probes on a real node: it learns everything as root, what it may as a user, and writes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flannelscope.bundle_script import kernel, script, sudoers
from flannelscope.model import Kernel
from flannelscope.probes import all_probes
from flannelscope.sources.ssh.values import Answered
from tests.lab.lab import Lab
from tests.lab.sudo import sudo_allows

NONCE = "5f2c9d81e07b4a36"
PROBES = all_probes()
ROOT = {name for name, probe in PROBES.items() if probe.root}
OPS = ("setpriv", "--reuid=ops", "--regid=ops", "--init-groups")


def asked(lab: Lab, *command: str) -> Kernel:
    done = subprocess.run(
        lab.command(lab.nodes[0], *command), input=script(PROBES.values(), NONCE), capture_output=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    answer = Answered(
        node="n1", at=0.0, origin="lab", output=done.stdout, error=done.stderr.decode(), status=done.returncode, seconds=0.0
    )
    return kernel(answer, NONCE)


@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix")], ids=lambda shell: shell[0])
def test_root_learns_everything(lab: Lab, shell: tuple[str, ...]) -> None:
    lab.flannel_ready()
    found = asked(lab, *shell, "-s")

    assert found.missing == {}
    assert found.unparsed == {}
    assert [process.pod_uid for process in found.facts["flannel_process"]] == [process_uid(lab)]
    assert found.facts["memory"][0].limit == 50 * 1024 * 1024
    assert found.facts["subnet_env"].values["FLANNEL_SUBNET"].endswith("/24")
    assert {lease.address for lease in found.facts["host_local"]} >= pod_addresses(lab)
    assert "flannel" in found.facts["cni"].bin_dirs["/opt/cni/bin"]
    assert any(chain == "FLANNEL-FWD" for table in found.facts["iptables"] for chain in table.chains)


def process_uid(lab: Lab) -> str:
    return str(next(pod["metadata"]["uid"] for pod in on_node(lab) if pod["metadata"]["name"].startswith("kube-flannel")))


def pod_addresses(lab: Lab) -> set[str]:
    return {pod["status"]["podIP"] for pod in on_node(lab) if not pod["spec"].get("hostNetwork") and pod["status"].get("podIP")}


def on_node(lab: Lab) -> list[dict[str, dict[str, str]]]:
    pods: list[dict[str, dict[str, str]]] = lab.get(f"/api/v1/pods?fieldSelector=spec.nodeName={lab.nodes[0]}")["items"]
    return pods


def test_busybox_alone_learns_what_it_can(lab: Lab) -> None:
    """Its own `ip` and `timeout` are used; nothing that it cannot tell is taken for absent."""
    found = asked(lab, "busybox", "sh", "-s")
    assert found.missing == {}
    assert {link.name for link in found.facts["links"]} >= {"flannel.1", "eth0"}


def test_a_user_without_sudo_misses_only_what_needs_root(lab: Lab) -> None:
    with sudo_allows(lab, lab.nodes[0], ""):
        found = asked(lab, *OPS, "sh", "-s")
    assert found.missing.keys() == ROOT
    assert all("sudo" in reason for reason in found.missing.values()), found.missing


def test_the_lines_for_sudoers_are_enough(lab: Lab) -> None:
    with sudo_allows(lab, lab.nodes[0], "\n".join(sudoers(PROBES.values(), "ops")) + "\n"):
        found = asked(lab, *OPS, "sh", "-s")
    assert found.missing == {}


WATCHED = (
    "open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,mknod,mknodat,symlink,symlinkat,link,linkat,"
    "chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,setxattr,lsetxattr,fsetxattr,utimensat,mount,umount2,"
    "init_module,finit_module,delete_module,sethostname,settimeofday,clock_settime,sendto,sendmsg"
)
OPENED = re.compile(r"(?:open|openat|creat)\(")
FOR_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|creat\(")
HARMLESS = re.compile(r'"/dev/(?:null|tty|pts/\d+)"')
CHANGES = re.compile(r"type=(?:RTM_(?:NEW|DEL|SET)|NFT_MSG_(?:NEW|DEL)|\S*<<8\|NFT_MSG_(?:NEW|DEL))\w*")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "sh")], ids=lambda shell: shell[0])
def test_nothing_is_written_on_the_node(lab: Lab, shell: tuple[str, ...], tmp_path: Path) -> None:
    log = tmp_path / "calls"
    traced = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "200",
        "-o",
        str(log),
        "-e",
        f"trace={WATCHED}",
        *lab.command(lab.nodes[0], *shell, "-s"),
    ]
    done = subprocess.run(
        traced, input=script(PROBES.values(), NONCE), capture_output=True, timeout=120, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert f"{NONCE} .".encode() in done.stdout
    calls = log.read_text().splitlines()
    assert sum("/proc/net/softnet_stat" in call for call in calls) >= 1, "what was traced was the script"

    assert [call for call in calls if writes(call)] == []


def writes(call: str) -> bool:
    """Whether it changes a file, or the kernel by netlink."""
    words = call.split(maxsplit=1)[-1]
    if words.startswith(("+++", "---", "<...")):
        return False
    if OPENED.match(words):
        return bool(FOR_WRITING.search(words)) and not HARMLESS.search(words)
    if words.startswith(("sendto(", "sendmsg(")):
        return bool(CHANGES.search(words))
    return "= -1" not in words


@pytest.mark.parametrize(
    ("call", "is_write"),
    [
        ('7 openat(AT_FDCWD, "/tmp/sh-thd.1", O_RDWR|O_CREAT|O_EXCL, 0600) = 3', True),
        ('7 openat(AT_FDCWD, "/dev/null", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3', False),
        ('7 openat(AT_FDCWD, "/proc/net/dev", O_RDONLY) = 3', False),
        ('7 unlink("/tmp/sh-thd.1") = 0', True),
        (
            "7 sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP}], 40, 0, NULL, 0) = 40",
            False,
        ),
        (
            "7 sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_NEWROUTE, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK}], 40, 0, NULL, 0) = 40",
            True,
        ),
        ("7 sendmsg(3, {msg_iov=[{iov_base=[{nlmsg_type=NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_NEWRULE}]}]}, 0) = 20", True),
    ],
)
def test_what_counts_as_a_write(call: str, is_write: bool) -> None:
    assert writes(call) is is_write
