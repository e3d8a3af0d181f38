"""What the commands answer: options before and after, the demos, saved files, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.report import build
from tests.engine.builders import announced, findings, healthy, node
from tests.tui.cli import call, run
from tui.commands import DEMO, name_demo
from tui.headless.check import exit_code


@pytest.fixture(autouse=True)
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a kubeconfig nor a configuration of the one who runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "XDG_CONFIG_HOME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)


def document(*args: str) -> Any:
    """The JSON that a call prints."""
    return json.loads(run(*args, "-o", "json")[1])


def saved(folder: Path, *nodes: tuple[str, str]) -> str:
    """What `kubectl get nodes -o json` would have saved of Nodes with these podCIDRs."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"podCIDR": cidr, "podCIDRs": [cidr]} if cidr else {},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-03-01T00:00:00Z"}]},
        }
        for name, cidr in nodes
    ]
    file = folder / "nodes.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (["--demo", "check"], [f"--demo={DEMO}", "check"]),
        (["--demo", "healthy", "check"], ["--demo=healthy", "check"]),
        (["check", "--demo"], ["check", f"--demo={DEMO}"]),
        (["--demo=exhausted"], ["--demo=exhausted"]),
        (["explain", "--", "--demo"], ["explain", "--", "--demo"]),
    ],
)
def test_the_word_after_demo_is_its_name_only_if_it_is_one(given: list[str], understood: list[str]) -> None:
    assert name_demo(given) == understood


@pytest.mark.parametrize("args", [("--demo", "healthy", "check"), ("check", "--demo", "healthy"), ("check", "--demo=healthy")])
def test_global_options_stand_before_or_after_the_command(args: tuple[str, ...]) -> None:
    code, out, _ = run(*args)
    assert code == 0
    assert "demo healthy" in out


def test_the_option_after_the_command_wins() -> None:
    assert document("--demo", "twins", "check", "--demo", "healthy")["cluster"]["context"] == "demo healthy"


def test_fail_on_decides_the_exit_code() -> None:
    for limit, code in (("critical", 1), ("warning", 1), ("info", 1), ("never", 0)):
        assert run("check", "--demo", "--fail-on", limit)[0] == code
    only = ("check", "--demo", "--only", "FLN104")
    severities = {finding["severity"] for finding in document(*only)["findings"]}
    assert severities
    assert "critical" not in severities
    assert run(*only, "--fail-on", "critical")[0] == 0


def test_only_and_suppress_take_codes_in_any_form() -> None:
    said = document("check", "--demo", "--only", "101,overlapping-podcidr", "--only", "fln202")
    assert {finding["code"] for finding in said["findings"]} == {"FLN101", "FLN102", "FLN202"}
    said = document("check", "--demo", "--only", "FLN101", "--suppress", "FLN101=w031,FLN101=w232")
    assert len(said["findings"]) == 8
    assert {item["by"] for item in said["suppressed"]} == {"FLN101=w031", "FLN101=w232"}
    code, out, _ = run("check", "--demo", "--only", "FLN101", "--suppress", "101")
    assert code == 0
    assert "Suppressed: 10 findings" in out
    known = ("--suppress", "FLN103", "--suppress", "FLN106", "--fail-on", "critical")
    assert run("check", "--demo", "exhausted", *known)[0] == 1  # Nodes without podCIDR are not known of yet


def test_suppressions_of_the_configuration_hold_too(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[suppress]\ncodes = ["FLN101"]\n[limits]\nfail_on = "critical"\n', "utf-8")
    said = document("check", "--demo", "--only", "FLN101,FLN102", "--config", str(config), "--suppress", "FLN102")
    assert said["findings"] == []
    assert {item["code"] for item in said["suppressed"]} == {"FLN101", "FLN102"}


def test_coverage_below_what_is_required_gives_four_unless_faults_are_certain() -> None:
    taken = healthy(topics=[topic for topic in Topic if topic is not Topic.PODS], gaps=[Gap(Topic.PODS, "403")])
    covered, fault = Judgement((), ()), Judgement(tuple(findings(twins(), "FLN101")), ())
    assert exit_code(build(Facts(taken), covered), "warning", 1.0) == 4
    assert exit_code(build(Facts(taken), covered), "warning", 0.0) == 0
    assert exit_code(build(Facts(healthy()), covered), "warning", 100.0) == 0
    assert exit_code(build(Facts(taken), fault), "warning", 100.0) == 1
    assert exit_code(build(Facts(taken), fault), "never", 100.0) == 4
    assert run("check", "--demo", "healthy", "--require-coverage", "100")[0] == 0
    assert run("check", "--demo", "healthy", "--require-coverage", "101")[0] == 2


def test_what_was_not_asked_for_is_not_covered_where_a_check_needs_it(tmp_path: Path) -> None:
    insist = ("--require-coverage", "100")
    assert run("check", "--demo", "healthy", "--pods", "none", *insist)[0] == 4
    assert run("check", "--demo", "healthy", "--pods", "none", "--only", "FLN101", *insist)[0] == 0
    file = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.2.0/24"))
    assert run("check", "--from", file, *insist)[0] == 4
    assert run("check", "--from", file)[0] == 0


def twins() -> Snapshot:
    """Two members with one podCIDR."""
    return healthy([announced(node(name, "10.244.1.0/24", ip=f"10.20.0.{index}")) for index, name in enumerate("ab")])


def test_check_judges_the_addresses_of_a_saved_file(tmp_path: Path) -> None:
    file = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.0.0/24"), ("c", "10.244.1.0/24"))
    said = document("check", "--from", file, "--fail-on", "never")
    assert said["source"] == "file"
    twins = [finding for finding in said["findings"] if finding["code"] == "FLN101"]
    assert [[subject["name"] for subject in finding["subjects"]] for finding in twins] == [["a", "b"]]
    assert {item["code"] for item in said["unknown"]}  # nothing was said of pods, leases, flannel


def test_nodes_as_table_csv_and_json() -> None:
    code, out, err = run("nodes", "--demo")
    assert code == 0
    assert len(out.splitlines()) == 301
    assert "300 nodes: " in err
    rows = list(csv.DictReader(run("nodes", "--demo", "-o", "csv")[1].splitlines()))
    assert [row["podcidrs"] for row in rows if row["name"] == "w031"] == ["10.244.31.0/24"]
    said = document("nodes", "--demo", "--problems")
    assert {node["state"] for node in said["nodes"]} <= {"critical", "warning", "unknown"}
    twin = next(node for node in said["nodes"] if node["name"] == "w031")
    assert (twin["marks"], twin["findings"][0]) == (["duplicate"], "FLN101")


def test_nodes_come_in_natural_order(tmp_path: Path) -> None:
    file = saved(tmp_path, ("n10", "10.244.1.0/24"), ("n9", "10.244.2.0/24"), ("n1", ""))
    assert [node["name"] for node in document("nodes", "--from", file)["nodes"]] == ["n1", "n9", "n10"]


def test_a_plan_needs_no_cluster() -> None:
    said = document("cidr", "plan", "--cluster-cidr", "10.244.0.0/12", "--node-cidr-mask-size", "16")
    wanted = {
        "cluster_cidr": "10.240.0.0/12",
        "written": "10.244.0.0/12",
        "host_bits": True,
        "node_mask": 16,
        "blocks": 16,
        "usable_blocks": 16,
        "addresses_per_node": 65533,
        "pods_per_node": 110,
        "first": "10.240.0.0/16",
        "last": "10.255.0.0/16",
        "valid": True,
        "problems": [],
    }
    assert {key: said[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "24"), 0),
        (("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "24", "--nodes", "256"), 0),
        (("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "24", "--nodes", "257"), 1),
        (("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "8"), 1),
        (("--cluster-cidr", "10.0.0.0/8,10.244.0.0/16", "--node-cidr-mask-size", "24,24"), 1),
        (("--cluster-cidr", "10.244.0.0/16", "--cluster-cidr", "fd00::/56", "--node-cidr-mask-size", "24,64"), 0),
        ((), 2),
        (("--cluster-cidr", "banana"), 2),
        (("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "0"), 2),
    ],
)
def test_a_plan_tells_by_its_exit_code(args: tuple[str, ...], code: int) -> None:
    assert run("cidr", "plan", *args)[0] == code


def test_a_plan_of_two_families_has_its_keys_once_per_family() -> None:
    said = document("cidr", "plan", "--cluster-cidr", "10.244.0.0/16,fd00::/56", "--node-cidr-mask-size", "24,64")
    assert [family["cluster_cidr"] for family in said["families"]] == ["10.244.0.0/16", "fd00::/56"]
    assert [family["blocks"] for family in said["families"]] == [256, 256]
    said = document("cidr", "plan", "--cluster-cidr", "fd00::/32,10.0.0.0/8", "--node-cidr-mask-size", "64,24")
    assert (said["valid"], [family["valid"] for family in said["families"]]) == (False, [False, True])
    assert [len(family["problems"]) for family in said["families"]] == [1, 0]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--node-cidr-mask-size", "99"), "/99 is longer than an IPv4 address (32 bits)"),
        (("--node-cidr-mask-size", "8"), "/8 is shorter than the cluster CIDR 10.244.0.0/16"),
        (("--node-cidr-mask-size", "24,64"), "there are 2 node masks for 1 cluster CIDRs"),
        (("--cluster-cidr", "10.0.0.0/8,10.1.0.0/16"), "both IPv4"),
    ],
)
def test_ranges_that_the_cluster_cannot_have_are_wrong_use(tmp_path: Path, args: tuple[str, ...], told: str) -> None:
    """Some are known to be wrong only when the cluster CIDR was found."""
    for command in (("check",), ("nodes",), ("cidr", "free")):
        done = call(tmp_path, *command, "--demo", "healthy", *args)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr


def test_a_mask_that_only_inferred_ranges_contradict_is_taken(tmp_path: Path) -> None:
    file = saved(tmp_path, ("a", "10.244.0.0/24"))
    assert run("check", "--from", file, "--node-cidr-mask-size", "23")[0] == 0
    assert run("check", "--from", file, "--node-cidr-mask-size", "33")[0] == 2


def test_free_blocks_of_a_saved_file(tmp_path: Path) -> None:
    file = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.2.0/24"))
    args = ("cidr", "free", "--from", file, "--cluster-cidr", "10.244.0.0/21", "--node-cidr-mask-size", "24", "-n", "3")
    said = document(*args)
    assert (said["would_start"], said["left"]) == (True, 6)
    assert said["next"] == ["10.244.1.0/24", "10.244.3.0/24", "10.244.4.0/24"]
    assert said["free"] == ["10.244.7.0/24", "10.244.6.0/24", "10.244.5.0/24"]
    assert "reason" not in said
    code, out, _ = run(*args)
    assert code == 0
    assert "The controller manager would start with these nodes and could give 6 more blocks." in out


@pytest.mark.parametrize("command", ["free", "what-if"])
def test_no_block_is_free_while_a_node_could_not_be_read(tmp_path: Path, command: str) -> None:
    """The last block of the range looks free, and is the podCIDR of the Node whose labels are unreadable."""
    file = Path(saved(tmp_path, ("a", "10.244.0.0/24"), ("odd", "10.244.7.0/24")))
    listed = json.loads(file.read_text("utf-8"))
    listed["items"][1]["metadata"]["labels"] = 7
    file.write_text(json.dumps(listed), "utf-8")
    args = ("cidr", command, "--from", str(file), "--cluster-cidr", "10.244.0.0/21", "--node-cidr-mask-size", "24")
    code, out, _ = run(*args, "-o", "json")
    said = json.loads(out)
    assert (code, said["free"], said["next"]) == (3, [], [])
    assert said["problem"].startswith("1 Node could not be read (odd)")
    code, out, _ = run(*args)
    assert (code, "10.244.7.0/24" in out) == (3, False)
    assert "problem: 1 Node could not be read (odd)" in out


def test_a_range_that_is_only_inferred_is_said_to_be(tmp_path: Path) -> None:
    said = document("cidr", "free", "--from", saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.3.0/24")))
    assert said["free"] == ["10.244.2.0/24", "10.244.1.0/24"]
    assert any("the real one may be larger; give --cluster-cidr" in note for note in said["notes"])


def test_what_if_names_who_must_move_and_whether_the_manager_starts(tmp_path: Path) -> None:
    file = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.9.0.0/24"))
    said = document("cidr", "what-if", "--from", file, "--cluster-cidr", "10.244.0.0/20", "--node-cidr-mask-size", "24")
    assert said["would_start"] is False
    assert "10.9.0.0/24 is out the range" in said["reason"]
    assert [(item["node"], item["podcidr"]) for item in said["rebuild"]] == [("b", "10.9.0.0/24")]
    assert said["rebuild"][0]["to"].startswith("10.244.")
    assert run("cidr", "what-if", "--from", file)[0] == 2


def test_what_if_tells_by_its_exit_code(tmp_path: Path) -> None:
    file = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.1.0/24"), ("c", "10.244.2.0/24"))

    def ended(cluster: str, mask: str = "24") -> int:
        return run("cidr", "what-if", "--from", file, "--cluster-cidr", cluster, "--node-cidr-mask-size", mask)[0]

    assert ended("10.240.0.0/12") == 0
    assert ended("10.240.0.0/12", "16") == 0  # two of them must move, and find blocks
    assert ended("10.9.0.0/16") == 1  # would not start
    assert ended("10.240.0.0/12", "8") == 1  # no controller manager takes it
    assert ended("10.244.0.0/23") == 1  # two blocks for three nodes


def test_of_range_and_mask_the_one_that_is_not_given_stays_as_it_was_found(tmp_path: Path) -> None:
    said = document("cidr", "what-if", "--demo", "exhausted", "--node-cidr-mask-size", "24")
    assert said["would_start"] is True
    assert said["notes"][0] == (
        "--cluster-cidr was not given: it is taken to stay 10.240.0.0/12 (Pod kube-system/kube-controller-manager-cp1 command)"
    )
    code, out, _ = run("cidr", "what-if", "--demo", "exhausted", "--cluster-cidr", "10.0.0.0/8")
    assert "10.0.0.0/8 in blocks of /16" in out
    assert "it is taken to stay /16 (Pod kube-system/kube-controller-manager-cp1 command)" in out
    assert code == 1  # 256 blocks for 285 nodes
    only_nodes = saved(tmp_path, ("a", "10.244.0.0/24"), ("b", "10.244.9.0/24"))
    _, out, _ = run("cidr", "what-if", "--from", only_nodes, "--node-cidr-mask-size", "25")
    assert "estimate from the podCIDRs, the real one may differ" in out


def test_a_mask_alone_is_wrong_use_where_no_range_is_found_or_the_masks_are_too_many(tmp_path: Path) -> None:
    nothing = saved(tmp_path, ("a", ""))
    code, _, err = run("cidr", "what-if", "--from", nothing, "--node-cidr-mask-size", "24")
    assert (code, "the cluster CIDR is not known" in err) == (2, True)
    code, _, err = run("cidr", "what-if", "--demo", "healthy", "--node-cidr-mask-size", "24,64")
    assert (code, "2 node masks for 1 cluster CIDRs" in err) == (2, True)


def test_the_range_asked_about_is_no_claim_about_the_one_in_effect() -> None:
    said = document("cidr", "what-if", "--demo", "--cluster-cidr", "10.240.0.0/12", "--node-cidr-mask-size", "24")
    assert [(item["node"], item["podcidr"]) for item in said["rebuild"]] == [("w044", "10.241.0.0/16"), ("w045", "10.242.0.0/16")]


def test_every_code_of_the_catalogue_is_explained() -> None:
    from flannelscope.checks import all_checks, planned

    for check in all_checks():
        assert run("explain", check.code)[1].startswith(f"{check.code} {check.slug}")
        assert run("explain", check.slug)[1] == run("explain", check.code.lower())[1] == run("explain", check.code[3:])[1]
    for code in planned():
        said = run("explain", code)[1]
        assert "does not judge it" in said
        assert run("explain", said.split()[1])[1] == said
    assert run("explain", "FLN999")[0] == 2


def test_explain_lists_all_codes_and_every_answer_is_a_document_too() -> None:
    code, out, _ = run("explain")
    assert code == 0
    assert "  FLN101  critical " in out
    assert "flannel-oom-killed  (planned)" in out
    listed = document("explain")["codes"]
    assert {item["code"] for item in listed} == {line.split()[0] for line in out.splitlines() if line.startswith("  FLN")}
    one = document("explain", "duplicate-podcidr")
    assert (one["code"], one["planned"], one["needs"]) == ("FLN101", False, ["nodes"])
    assert "How to undo it" in one["explanation"]
    assert (document("explain", "302")["planned"], "explanation" in document("explain", "302")) == (True, False)
    assert "all codes" in run("explain", "--help")[1]


def test_config_show_tells_values_and_origins(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[kube]\ncontext = "prod"\n[keys]\napp.read-again = "ctrl+r"\n', "utf-8")
    code, out, _ = run("--timeout", "3", "config", "show", "--config", str(config))
    assert code == 0
    lines = dict(line.split(" = ", 1) for line in (" ".join(line.split()) for line in out.splitlines()))
    assert lines["kube.context"] == f'"prod" <- file {config}'
    assert lines["kube.timeout"] == "3.0 <- option --timeout"
    assert lines["keys.app.read-again"] == f'"ctrl+r" <- file {config}'
    said = document("config", "show", "--config", str(config))
    assert {"setting": "kube.context", "value": "prod", "from": f"file {config}"} in said["settings"]


def test_a_key_for_no_action_of_the_console_is_a_mistake(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[keys]\napp.fly = "f"\n', "utf-8")
    code, _, err = run("config", "show", "--config", str(config))
    assert code == 2
    assert "no action app.fly" in err


@pytest.mark.parametrize("output", ["text", "json", "markdown", "prometheus"])
def test_every_form_of_every_demo(output: str) -> None:
    for demo in ("twins", "exhausted", "healthy"):
        code, out, _ = run("check", "--demo", demo, "-o", output)
        assert code == (0 if demo == "healthy" else 1)
        assert out.endswith("\n")
        assert "\x1b" not in out


def test_rbac_prints_a_manifest_that_only_reads() -> None:
    import yaml

    code, out, _ = run("rbac", "read")
    assert code == 0
    verbs = {verb for item in yaml.safe_load_all(out) for rule in item.get("rules", []) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_version_and_help() -> None:
    for args in (("--version",), ("check", "--version"), ("--demo", "--version")):
        assert run(*args)[1] == "flannelscope 0.1.0\n"
    listed = run("--help")[1]
    for name in ("check", "nodes", "cidr", "explain", "rbac", "config", "completion"):
        assert f"\n  {name} " in listed
    for later in ("--write", "--bundle", "--matrix"):
        assert later not in listed + run("check", "--help")[1]
