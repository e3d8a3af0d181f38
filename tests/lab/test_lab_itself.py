"""The lab itself: whatever happens to it, nothing of it is left behind, and it ends nothing that is not its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cgroups, full_nodes, host, lifecycle, limits, networks, teardown
from tests.lab.lab import ROOM, Lab, LabFailed, brought_up, wait_until
from tests.lab.networks import Machine
from tests.lab.places import REPOSITORY, Places
from tests.lab.processes import recorded, running, start, started_at, stop
from tests.lab.settings import KINDS, Settings
from tests.lab.side_by_side import named

SMALL = Settings(named("itself"), nodes=1)


@pytest.fixture
def places(possible: None) -> Iterator[Places]:
    """Where the lab called "itself" is to be, empty before and after."""
    teardown.take_down(SMALL.name)
    try:
        yield Places(SMALL.name)
    finally:
        teardown.take_down(SMALL.name)


def left_of(places: Places) -> list[str]:
    """Everything of a lab that is not to be there when it is down: processes, namespaces, cgroups, mounts, files."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/labs/{places.lab}/" in line]
    processes = [f"process {pid}" for pid in working_on(places)]
    files = [str(path) for path in places.home.glob("*") if path != places.logs]
    groups = [str(group) for group in places.cgroups() if group.exists()]
    return [*processes, *networks.names(places), *groups, *mounts, *files]


def working_on(places: Places) -> list[int]:
    """Pids of all processes of this machine with a file of the lab open, as their root, or in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = [(process / "cmdline").read_bytes().decode(errors="replace"), str((process / "root").readlink())]
        except OSError:
            continue
        if any(f"/labs/{places.lab}/" in word for word in words):
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("stage", ["switches", "API server", "nodes started", "registered"])
def test_a_start_killed_in_the_middle_leaves_nothing_after_down(places: Places, stage: str) -> None:
    """Killed at once, with no chance to tidy up."""
    argv = [sys.executable, "-m", "tests.lab", "up", "--name", places.lab, "-n", "1", "--wait", str(ROOM)]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as starting:
        assert starting.stdout is not None
        said = next((line for line in starting.stdout if stage in line), None)
        starting.send_signal(signal.SIGKILL)
    assert said is not None, "the start never came so far"
    assert cgroups.members(places) or stage == "switches"

    down = subprocess.run([sys.executable, "-m", "tests.lab", "down", "--name", places.lab], cwd=REPOSITORY, timeout=60)
    assert down.returncode == 0
    assert left_of(places) == []


def test_a_start_that_fails_takes_itself_down_and_names_the_log(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubelet that refuses its configuration: no Node comes, and the kubelet's own words are kept."""

    def broken(_settings: Settings, _machine: Machine) -> dict[str, object]:
        return {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "none of these"}

    monkeypatch.setattr(full_nodes, "configuration", broken)
    monkeypatch.setattr(lifecycle, "PATIENCE", 8.0)
    with pytest.raises(LabFailed, match="the API server is ready") as failure:
        lifecycle.up(SMALL, patience=ROOM)

    log = places.logs / "cp/kubelet.log"
    assert str(log) in str(failure.value)
    assert "none of these" in log.read_text()
    assert left_of(places) == []


def test_a_lab_that_is_up_is_left_as_it_is(lab: Lab) -> None:
    before = {record.name: record.read_text() for record in lab.places.pids.glob("*")}
    said: list[str] = []
    lifecycle.up(lab.settings, said.append)

    assert {record.name: record.read_text() for record in lab.places.pids.glob("*")} == before
    assert said == [f"the lab {lab.settings.name} is up already"]


def test_a_lab_of_another_size_is_not_taken_for_it(lab: Lab) -> None:
    with pytest.raises(LabFailed, match="another size or kind"):
        lifecycle.up(lab.settings.with_size(lab.settings.nodes + 1))
    assert lifecycle.is_up(lab.settings)


def test_two_labs_stand_side_by_side(places: Places) -> None:
    """They have the same addresses and never meet; the end of one is nothing to the other."""
    with brought_up(Settings(named("beside"), nodes=1)) as lab:
        before = {name: lab.process(name) for name in ("cp", *lab.nodes)}
        with brought_up(SMALL) as other:
            assert other.pod_cidrs().keys() == lab.pod_cidrs().keys() == {"cp", "n1"}
            both = {one.get("/api/v1/namespaces/default")["metadata"]["uid"] for one in (lab, other)}
            assert len(both) == 2
        assert {name: lab.process(name) for name in ("cp", *lab.nodes)} == before
        assert left_of(places) == []
        assert lab.pod_cidrs().keys() == {"cp", "n1"}
        assert lab.check()["exit"] == 0


def test_somebody_elses_lab_is_not_taken_down(lab: Lab) -> None:
    """The tests hold theirs; whoever types `down` meanwhile is told so."""
    if os.environ.get("FLANNELSCOPE_LAB_ATTACH"):
        pytest.skip("this machine has no lab: the one that is up is nobody's")
    with pytest.raises(LabFailed, match="somebody else"), lifecycle.reserved(lab.places):
        raise AssertionError("two hold one lab")


def test_a_machine_has_a_root_of_its_own(lab: Lab) -> None:
    """What an operator makes on it, or changes, is not on the machine that the lab runs on, and not on the next one."""
    lab.inside("n1", "sh", "-ec", "echo made > /etc/made-by-test; echo made > /home/ops/made; mkdir /opt/made")
    assert lab.inside("n1", "cat", "/etc/made-by-test") == "made\n"
    assert lab.inside("n2", "sh", "-c", "ls /etc/made-by-test || echo none", check=False) == "none\n"
    assert not Path("/etc/made-by-test").exists()
    assert not Path("/opt/made").exists()
    assert "Read-only file system" in lab.inside("n1", "sh", "-c", "touch /usr/bin/made 2>&1", check=False)
    assert lab.inside("n1", "hostname") == "n1\n"
    accounts = {line.split(":")[0] for line in lab.inside("n1", "cat", "/etc/passwd").splitlines()}
    assert accounts == {"root", "sshd", "ops", "nobody"}


@pytest.mark.parametrize("user", ["root", "ops"])
def test_the_operator_logs_in_from_the_bastion(lab: Lab, user: str) -> None:
    """By the key and the known hosts that the lab wrote, as root or as a user with sudo."""
    for node in ("cp", *lab.nodes):
        said = lab.bastion("ssh", f"{user}@{node}", "id -un; hostname; sudo -n id -u", environment=lab.operator_environment())
        assert said.stdout.split() == [user, node, "0"], said.stderr


def test_pods_reach_each_other(lab: Lab) -> None:
    """From the control plane's machine too."""
    addresses = lab.probe_pods()
    assert addresses.keys() == {"cp", *lab.nodes}
    assert all(lab.reached(node, address) for node in addresses for address in addresses.values())


def test_only_what_is_on_record_is_ended(places: Places) -> None:
    """A record is a pid and when that process started: another one that has the number meanwhile is somebody else's."""
    places.pids.mkdir(parents=True)
    places.logs.mkdir(parents=True, exist_ok=True)
    cgroups.make(places, [])
    ours = start(places, "ours", ["sleep", "600"])
    with subprocess.Popen(["sleep", "600"]) as stranger:
        (places.pids / "stale").write_text(f"{stranger.pid} {int(started_at(stranger.pid) or 0) - 1}")
        assert recorded(places, "ours") == ours
        assert running(places.pids / "stale") is None

        stop(places, "stale")
        teardown.take_down(places.lab)
        assert started_at(ours) is None
        assert stranger.poll() is None
        stranger.kill()
    assert left_of(places) == []


def test_what_a_program_left_behind_is_ended_with_it(places: Places) -> None:
    """A child that went its own way, with another session and without its parent, is still in the lab's cgroups."""
    places.pids.mkdir(parents=True)
    places.logs.mkdir(parents=True, exist_ok=True)
    cgroups.make(places, ["n1"])
    start(places, "n1", ["sh", "-c", "setsid --fork sleep 600; exec sleep 601"], "n1")
    wait_until(lambda: len(cgroups.members(places)) == 2, "the child is there")

    teardown.take_down(places.lab)
    assert left_of(places) == []


def test_a_lab_that_was_started_under_other_names_is_ended_too(places: Places) -> None:
    """Its run folder says what its namespaces begin with; those of a lab that only begins like it are not its."""
    places.home.mkdir(parents=True, exist_ok=True)
    places.prefix.write_text("once")
    other = Places(f"{places.lab}2").network("n1")
    networks.batch(places, "", [f"netns add {name}" for name in (f"once-{places.lab}-n1", other)])
    try:
        assert networks.names(places) == [f"once-{places.lab}-n1"]
        teardown.take_down(places.lab)
        assert left_of(places) == []
        assert (Path("/run/netns") / other).exists()
    finally:
        networks.batch(places, "", [f"netns del {other}"])


def test_the_last_lab_puts_the_kernels_settings_back(possible: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Counted over all labs, and once only; on a kernel that is a folder here."""
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path))
    kernel = tmp_path / "kernel"
    for name in host.WANTED:
        (kernel / name).parent.mkdir(parents=True, exist_ok=True)
        (kernel / name).write_text("1000\n")
    (kernel / "kernel/random").mkdir(parents=True)
    (kernel / "kernel/random/boot_id").write_text("one\n")
    monkeypatch.setattr(host, "KERNEL", kernel)

    host.hold("a")
    host.hold("b")
    host.hold("b")
    host.release("a")
    host.release("never-held")
    assert {int((kernel / name).read_text()) for name in host.WANTED} == set(host.WANTED.values())
    host.release("b")
    assert {(kernel / name).read_text() for name in host.WANTED} == {"1000"}


def test_a_record_of_before_the_reboot_counts_no_more(possible: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path))
    (tmp_path / "host.json").write_text('{"boot": "another", "labs": ["gone"], "was": {"net/core/netdev_max_backlog": "1"}}')
    host.release("gone")
    assert '"labs": []' in (tmp_path / "host.json").read_text()
    assert Path("/proc/sys/net/core/netdev_max_backlog").read_text() != "1\n"


def test_a_lab_that_the_kernel_has_no_room_for_is_refused_in_words(
    possible: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is started: past the limit kubelets end at once, and nobody would know why."""
    most = tmp_path / "max_user_instances"
    most.write_text(f"{limits.needed(SMALL) - 1}\n")
    monkeypatch.setattr(limits, "MOST", most)
    with pytest.raises(LabFailed, match=r"fs\.inotify\.max_user_instances"):
        lifecycle.up(SMALL)
    assert left_of(Places(SMALL.name)) == []


@pytest.mark.parametrize("name", ["", "two words", "a-b", "x" * 13, "9lives"])
def test_a_name_that_cannot_be_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="a lab's name is"):
        Settings(name)


def test_settings_are_read_as_they_were_written() -> None:
    for kind in KINDS.values():
        settings = Settings("lab", 3, 5, kind)
        assert Settings.from_json(settings.to_json()) == settings
