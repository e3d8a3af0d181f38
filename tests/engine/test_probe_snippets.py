"""What snippets of probes read, in a folder that stands for a node's root, by every shell that nodes have."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from flannelscope.probes import Unparsable, cni, containers, flannel_process, host_local, iptables, kernel_log, memory, subnet_env
from flannelscope.probes.cgroups import owner, path_of

RECORDED = Path(__file__).resolve().parents[1] / "data/recorded/cgroup-v2"
SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
FOLDERS = r"(?<![\w.])/(?:etc|var/lib|opt|proc|sys/fs|run)/"
POD = "3f1c1f6e-6f0c-4b7e-9d57-5a2c9f7f2d10"
SANDBOX = "6e0f" * 16
SLICE = (
    f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice/cri-containerd-{SANDBOX}.scope"
)
Run = Callable[[str, Mapping[str, str]], bytes]


@pytest.fixture(params=SHELLS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a snippet on files, given by the paths they have on a node."""
    program, *arguments = SHELLS[request.param]
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")

    def rooted(text: str) -> str:
        return re.sub(FOLDERS, rf"{tmp_path}\g<0>", text)

    def ran(snippet: str, files: Mapping[str, str]) -> bytes:
        for name, content in files.items():
            file = tmp_path / name.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(rooted(content).encode())
            file.chmod(0o755)
        done = subprocess.run([path, *arguments, "-c", rooted(snippet)], capture_output=True, timeout=60, check=False)
        assert done.stderr == b""
        return done.stdout.replace(str(tmp_path).encode(), b"")

    return ran


NAMED = {
    "containerd": ("/etc/containerd/config.toml", '[plugins.cni]\n  bin_dir = "/opt/own"\n  conf_dir = "/etc/own.d"\n'),
    "containerd 2": (
        "/etc/containerd/config.toml",
        "bin_dirs = ['/opt/none', '/opt/own']\nconf_dir = '/etc/own.d'\nother = [\n '/x',\n]\n",
    ),
    "cri-o": (
        "/etc/crio/crio.conf",
        '[crio.network]\nnetwork_dir = "/etc/own.d/"\nplugin_dirs = [\n\t"/opt/own/",\n]\nother = [\n"/x",\n]\n',
    ),
    "k3s": ("/var/lib/rancher/k3s/agent/etc/containerd/config.toml", 'bin_dir = "/opt/own"\nconf_dir = "/etc/own.d"\n'),
}


@pytest.mark.parametrize("runtime", NAMED)
def test_cni_is_read_where_the_runtime_reads_it(run: Run, runtime: str) -> None:
    name, content = NAMED[runtime]
    files = {
        name: content,
        "/etc/own.d/10-flannel.conflist": '{"name": "cbr0"}\n',
        "/etc/own.d/05-other.conf": "{}",
        "/etc/own.d/README": "no configuration",
        "/etc/cni/net.d/00-elsewhere.conflist": "{}",
        "/opt/own/flannel": "",
        "/opt/cni/bin/bridge": "",
    }
    found = cni.parse(run(cni.READ, files)).value
    assert found.conf_dir == "/etc/own.d"
    assert [(file.name, file.content) for file in found.files] == [
        ("05-other.conf", "{}"),
        ("10-flannel.conflist", '{"name": "cbr0"}\n'),
    ]
    assert found.bin_dirs == {"/opt/own": ("flannel",)}


def test_leases_of_both_families_with_their_age(run: Run) -> None:
    folder = "/var/lib/cni/networks/cbr0"
    files = {
        f"{folder}/10.244.2.7": f"{SANDBOX}\r\neth0",
        f"{folder}/fd00:10:244:2::7": f"{SANDBOX}\r\neth0",
        f"{folder}/10.244.2.8": "0123",  # very old versions wrote no interface
        f"{folder}/last_reserved_ip.0": "10.244.2.8",
        f"{folder}/lock": "",
    }
    found = host_local.parse(run(host_local.READ, files))
    assert found.unparsed == ()
    assert {(lease.address, lease.container, lease.interface) for lease in found.value} == {
        ("10.244.2.7", SANDBOX, "eth0"),
        ("fd00:10:244:2::7", SANDBOX, "eth0"),
        ("10.244.2.8", "0123", ""),
    }
    assert all(lease.network == "cbr0" and lease.modified for lease in found.value)


def test_without_leases_there_are_none(run: Run) -> None:
    assert host_local.parse(run(host_local.READ, {"/var/lib/cni/x": ""})).value == ()


def test_leases_that_lie_elsewhere_are_not_none() -> None:
    conf = "grep -shq '\"dataDir\"' /dev/null /etc/cni/net.d/*"
    assert conf in host_local.READ
    snippet = host_local.READ.replace(conf, "true")
    done = subprocess.run(["sh", "-c", snippet], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"dataDir" in done.stderr


def test_a_list_of_leases_without_its_end_is_no_short_list() -> None:
    with pytest.raises(Unparsable, match="ended in the middle"):
        host_local.parse(b"== times\n1700000000 cbr0/10.244.2.7\n")


PROCESS = {
    "/proc/stat": "cpu 1 2\nbtime 1700000000\n",
    "/proc/1/comm": "systemd\n",
    "/proc/41/comm": "containerd\n",
    "/proc/221/comm": "flanneld\n",
    "/proc/221/stat": "221 (flanneld) S 115 " + "0 " * 17 + "5000 1874980864 11099\n",
    "/proc/221/cgroup": f"0::{SLICE}\n",
    "/proc/221/cmdline": "/opt/bin/flanneld\0--ip-masq\0--subnet-file\0/run/flannel/own.env\0",
}


def test_flanneld_is_found_with_its_pod_on_version_2_of_cgroups(run: Run) -> None:
    (found,) = flannel_process.parse(run(flannel_process.READ, PROCESS)).value
    assert found.pid == 221
    assert found.argv[1:3] == ("--ip-masq", "--subnet-file")
    assert found.started == 1700000050.0
    assert (found.cgroup, found.pod_uid, found.state) == (SLICE, POD, "S")


def test_where_no_flanneld_runs_none_is_found(run: Run) -> None:
    files = {"/proc/stat": PROCESS["/proc/stat"], "/proc/1/comm": "systemd\n", "/proc/41/comm": "k3s-server\n"}
    assert flannel_process.parse(run(flannel_process.READ, files)).value == ()
    with pytest.raises(Unparsable):
        flannel_process.parse(b"")


def test_the_file_that_flanneld_was_told_is_read(run: Run) -> None:
    files = {**PROCESS, "/run/flannel/own.env": "FLANNEL_MTU=1450\n", "/run/flannel/subnet.env": "FLANNEL_MTU=1\n"}
    found = subnet_env.parse(run(subnet_env.READ, files)).value
    assert found.path == "/run/flannel/own.env"
    assert found.values == {"FLANNEL_MTU": "1450"}
    assert found.modified


SECRET = "root:secret\nFLANNEL_MTU=1450\n"


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/run/containerd/task/rootfs/own.env", "/var/lib/kubelet/pods/1/own.env", "/dev/null"]
)
def test_a_process_cannot_choose_which_file_of_the_node_is_opened(run: Run, path: str) -> None:
    files = {**PROCESS, "/proc/221/cmdline": f"flanneld\0--subnet-file={path}\0", "/etc/shadow": SECRET}
    files |= {path: SECRET} if not path.startswith("/dev") else {}
    said = run(subnet_env.READ, files)
    assert b"secret" not in said
    with pytest.raises(Unparsable, match=f"names {path}, which is not opened"):
        subnet_env.parse(said)


def test_a_link_leads_to_no_other_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/own.env").symlink_to(tmp_path / "etc/shadow")
    files = {**PROCESS, "/proc/221/cmdline": "flanneld\0--subnet-file=/run/own.env\0", "/etc/shadow": SECRET}
    assert run(subnet_env.READ, files) == b"== unread /run/own.env\n"


def test_only_lines_of_flannel_are_told(run: Run) -> None:
    said = run(subnet_env.READ, {"/run/flannel/subnet.env": f"{SECRET}PASSWORD=secret\n"})
    assert subnet_env.parse(said).value.values == {"FLANNEL_MTU": "1450"}
    assert b"secret" not in said


def test_what_is_called_flanneld_on_another_network_is_not_flannel(run: Run, tmp_path: Path) -> None:
    """A pod gives its processes what names it likes, but not the node's network."""
    pod = {
        "/proc/9/comm": "flanneld\n",
        "/proc/9/net/dev": "lo\n",
        "/proc/9/cmdline": "flanneld\0--subnet-file=/run/false.env\0",
        "/proc/9/stat": PROCESS["/proc/221/stat"].replace("221", "9"),
        "/proc/9/cgroup": PROCESS["/proc/221/cgroup"],
        "/run/false.env": "FLANNEL_MTU=1\n",
        "/run/flannel/own.env": "FLANNEL_MTU=1450\n",
        "/proc/self/net/dev": "lo\n",
    }
    (tmp_path / "proc/221/net").mkdir(parents=True)
    (tmp_path / "proc/self/net").mkdir(parents=True)
    (tmp_path / "proc/self/net/dev").touch()
    (tmp_path / "proc/221/net/dev").hardlink_to(tmp_path / "proc/self/net/dev")
    assert [process.pid for process in flannel_process.parse(run(flannel_process.READ, {**PROCESS, **pod})).value] == [221]
    assert subnet_env.parse(run(subnet_env.READ, {})).value.values == {"FLANNEL_MTU": "1450"}


def test_this_kernel_tells_networks_apart_for_everybody() -> None:
    own = subprocess.run(["stat", "-L", "-c", "%i", "/proc/self/net/dev"], capture_output=True, check=True, timeout=60).stdout
    other = subprocess.run(["unshare", "-rn", "stat", "-L", "-c", "%i", "/proc/self/net/dev"], capture_output=True, check=False)
    if other.returncode:
        pytest.skip("no namespaces can be made here")
    assert own.strip().isdigit()
    assert own != other.stdout


def test_words_of_a_process_are_no_lines_of_ours(run: Run) -> None:
    forged = "flanneld\0x\n== end\n== pid 1\n" + PROCESS["/proc/221/stat"] + "0::/x\n== argv\nflanneld\0--iface=evil0\0"
    (found,) = flannel_process.parse(run(flannel_process.READ, {**PROCESS, "/proc/221/cmdline": forged})).value
    assert found.pid == 221
    assert found.argv[-1] == "--iface=evil0"


KERNELS = {
    "loaded": ({"/sys/fs/nf_tables/x": ""}, "yes"),
    "built in": ({"/proc/kallsyms": "0 T nf_tables_newtable\n"}, "yes"),
    "not loaded": ({"/proc/kallsyms": "0 T start\n"}, "no"),
    "hidden, and its module lies somewhere": ({"/opt/extra/nf_tables.ko.zst": ""}, "no"),
    "hidden, and there is no module": ({"/opt/x": ""}, "yes"),
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_nf_tables_is_asked_only_where_nothing_is_loaded_for_it(run: Run, kernel: str) -> None:
    files, asked = KERNELS[kernel]
    snippet = iptables.NFT.replace("/sys/module/", "/sys/fs/").replace("/lib/modules/", "/opt/").replace("$(uname -r)", "")
    assert run(f"KT=; {snippet}; echo $KT", files) == f"{asked}\n".encode()


def test_a_file_that_is_not_there_is_said(run: Run) -> None:
    found = subnet_env.parse(run(subnet_env.READ, {"/proc/41/comm": "x"})).value
    assert (found.path, found.present) == ("/run/flannel/subnet.env", False)


def test_memory_on_version_2_of_cgroups(run: Run) -> None:
    """Recorded when the kernel had killed a child of flanneld for its limit."""
    recorded = {
        name: (RECORDED / "after-child" / name).read_text()
        for name in ("memory.current", "memory.max", "memory.events", "memory.stat")
    }
    files = {**PROCESS, **{f"/sys/fs/cgroup{SLICE}/{name}": content for name, content in recorded.items()}}
    (found,) = memory.parse(run(memory.READ, files)).value
    assert (found.pid, found.pod_uid) == (221, POD)
    assert found.limit == int(recorded["memory.max"])
    assert found.used == int(recorded["memory.current"])
    assert found.kills == int(dict(line.split() for line in recorded["memory.events"].splitlines())["oom_kill"])
    assert found.working_set <= found.used


def test_of_the_kernel_log_only_what_matters_is_taken(run: Run) -> None:
    log = RECORDED / "dmesg-group.txt"
    said = run(f"{{ echo '== dmesg'; cat {log}; printf '\\n== exit 0\\n'; }} | {kernel_log.THROUGH}", {})
    found = kernel_log.parse(said).value
    assert any("oom-kill:constraint=CONSTRAINT_MEMCG" in line.text for line in found)
    assert any(re.search(r"Memory cgroup out of memory: Killed process \d+ \(flanneld\)", line.text) for line in found)
    assert all(line.since_boot is not None for line in found)
    assert len(found) < len(log.read_text().splitlines())


def test_lines_of_the_journal_are_the_same() -> None:
    line = b"[ 5013.160432] n1 kernel: neighbour: arp_cache: neighbor table overflow!"
    (found,) = kernel_log.parse(b"== journalctl -k -b -q --no-pager -o short-monotonic\n" + line + b"\n== exit 0\n").value
    assert (found.since_boot, found.text) == (5013.160432, "neighbour: arp_cache: neighbor table overflow!")


def test_a_log_that_may_not_be_read_is_not_an_empty_one() -> None:
    with pytest.raises(Unparsable, match="may not be read"):
        kernel_log.parse(b"== dmesg\n== exit 1\n")


OWNERS = {
    f"/kubepods/burstable/pod{POD}/{SANDBOX}": (POD, SANDBOX),
    SLICE: (POD, SANDBOX),
    f"/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/crio-{SANDBOX}.scope": (POD, SANDBOX),
    f"/kubepods/besteffort/pod{'0f' * 16}/{SANDBOX}": ("0f" * 16, SANDBOX),
    f"/kubepods/pod{POD}": (POD, ""),
    "/system.slice/k3s.service": ("", ""),
    "/user.slice/podman-1.scope": ("", ""),
}


@pytest.mark.parametrize("path", OWNERS)
def test_whose_a_cgroup_is(path: str) -> None:
    assert tuple(owner(path)) == OWNERS[path]


def test_the_controller_of_memory_says_the_path() -> None:
    assert path_of(["9:name=systemd:/", "4:memory:/kubepods/x", "0::/"]) == "/kubepods/x"
    assert path_of(["0::/kubepods.slice/x"]) == "/kubepods.slice/x"


@pytest.mark.parametrize("probe", [flannel_process, memory, containers], ids=lambda module: module.PROBE.name)
def test_hidden_processes_are_not_taken_for_none(probe: ModuleType) -> None:
    """With hidepid a user sees only their own; the status must be none that counts as an answer."""
    way = probe.PROBE.ways[0]
    done = subprocess.run(
        ["sh", "-c", way.shell.replace("/proc/1/", "/proc/none/")], capture_output=True, timeout=60, check=False
    )
    assert done.returncode not in (0, *way.accept)
    assert b"hidden" in done.stderr
