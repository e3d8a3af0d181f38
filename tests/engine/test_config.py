"""The configuration: who wins over whom, all mistakes at once, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from flannelscope.config import Config, load
from flannelscope.config_keys import SETTINGS
from flannelscope.errors import UsageError


def write(folder: Path, text: str) -> str:
    """A configuration file with this text."""
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return str(file)


def wrong(file: str = "", environment: Mapping[str, str] | None = None, options: Mapping[str, object] | None = None) -> str:
    """What load says of a wrong configuration."""
    with pytest.raises(UsageError) as caught:
        load(options, file=file, environment=environment or {"HOME": "/nonexistent"})
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    config = load(environment={"HOME": "/nonexistent"})
    assert (config.pods, config.timeout, config.fail_on, config.file) == ("all", 15.0, "warning", "")
    assert {origin for _, _, origin in config.show()} == {"default"}
    assert len(list(config.show())) == len(SETTINGS)


def test_option_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = write(tmp_path, '[kube]\ncontext = "file"\npods = "none"\ntimeout = 5\n')
    environment = {"FLANNELSCOPE_KUBE_CONTEXT": "environment", "FLANNELSCOPE_KUBE_PODS": "suspect"}
    config = load({"kube.context": "option"}, file=file, environment=environment)
    assert (config.context, config.pods, config.timeout) == ("option", "suspect", 5.0)
    origins = {name: origin for name, _, origin in config.show()}
    assert origins["kube.context"] == "option --context"
    assert origins["kube.pods"] == "environment FLANNELSCOPE_KUBE_PODS"
    assert origins["kube.timeout"] == f"file {file}"
    assert origins["limits.fail_on"] == "default"


def test_the_file_is_found_below_xdg_config_home(tmp_path: Path) -> None:
    (tmp_path / "flannelscope").mkdir()
    file = write(tmp_path / "flannelscope", '[kube]\ncontext = "prod"\n')
    assert load(environment={"XDG_CONFIG_HOME": str(tmp_path)}).context == "prod"
    assert load(environment={"XDG_CONFIG_HOME": str(tmp_path)}).file == file
    assert load(environment={"XDG_CONFIG_HOME": "relative", "HOME": str(tmp_path)}).context == ""


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[kube]\nfoo = 1\ntimeout = "soon"\npods = "some"\ncluster_cidr = ["banana"]\nnode_cidr_mask_size = [0]\n[bogus]\nx = 1\n'
        '[keys]\n"app.quit" = 7\n',
    )
    told = wrong(file, {"FLANNELSCOPE_LIMITS_NOPE": "1"})
    for part in (
        "no key kube.foo",
        "kube.timeout must be a number",
        "kube.pods must be one of none, suspect, all",
        "banana is no IP prefix",
        "0 is no prefix length",
        "no table [bogus]",
        "keys.app.quit must be the name of a key",
        "FLANNELSCOPE_LIMITS_NOPE: there is no key limits.nope",
    ):
        assert part in told


@pytest.mark.parametrize("key", ["token", "password", "ssh_passphrase", "client_key_data", "bearer"])
def test_secrets_are_not_accepted_and_not_repeated(tmp_path: Path, key: str) -> None:
    told = wrong(write(tmp_path, f'[kube]\n{key} = "hunter2"\n'))
    assert "secrets are not accepted" in told
    assert "hunter2" not in told


def test_nodes_are_logged_in_to_only_where_that_is_switched_on(tmp_path: Path) -> None:
    """A user, a key or a configuration of ssh say how, not whether."""
    told = write(tmp_path, '[ssh]\nuser = "ops"\nidentity = ["~/.ssh/ops"]\n')

    assert load(file=told, environment={}).settings().ssh is None
    chosen = load({"ssh.enabled": True}, file=told, environment={"HOME": "/home/me"}).settings().ssh
    assert chosen is not None and chosen.user == "ops"
    assert chosen.identities[0].endswith("/.ssh/ops") and not chosen.identities[0].startswith("~")
    assert load({"ssh.enabled": False}, environment={"FLANNELSCOPE_SSH_ENABLED": "true"}).settings().ssh is None
    assert load(environment={"FLANNELSCOPE_SSH_ENABLED": "true"}).settings().ssh is not None


def test_wrong_values_of_ssh_are_told_by_name(tmp_path: Path) -> None:
    said = wrong(write(tmp_path, '[ssh]\ntransport = "telnet"\nwindow_direct = 0\npassword = "x"\n'))

    assert "ssh.transport must be one of paramiko, openssh" in said
    assert "ssh.window_direct must be a whole number from 1 to 1000" in said
    assert "ssh.password: secrets are not accepted here" in said


def test_options_of_ssh_are_named_as_they_are_typed() -> None:
    config = load({"ssh.enabled": True, "ssh.user": "ops"}, environment={})

    assert (config.origins["ssh.enabled"], config.origins["ssh.user"]) == ("option --ssh", "option --ssh-user")


@pytest.mark.parametrize("value", ["0", "-1", "4000", "nan", "inf", "x"])
def test_a_time_limit_must_be_a_time(value: str) -> None:
    assert "kube.timeout" in wrong(options={"kube.timeout": value})


def test_a_file_that_is_named_must_exist_and_be_toml(tmp_path: Path) -> None:
    assert "no such configuration file" in wrong(str(tmp_path / "none.toml"))
    assert "no TOML" in wrong(write(tmp_path, "[kube"))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    assert "cannot be read" in wrong(str(binary))
    assert "cannot be read" in wrong(str(tmp_path))


def test_lists_are_lists_or_texts_with_commas(tmp_path: Path) -> None:
    file = write(tmp_path, '[kube]\ncluster_cidr = ["10.244.0.0/16", "fd00::/48"]\nnode_cidr_mask_size = 24\n')
    config = load(file=file, environment={"FLANNELSCOPE_KUBE_NODE_CIDR_MASK_SIZE": "24, /64"})
    assert config.cluster_cidrs == ("10.244.0.0/16", "fd00::/48")
    assert config.node_masks == (24, 64)
    assert load(file=file, environment={}).node_masks == (24,)
    assert "2 node masks for 1 cluster CIDRs" in wrong(options=ranges("10.0.0.0/8", "24,64"))


def ranges(clusters: str = "", masks: str = "", services: str = "") -> dict[str, object]:
    """These ranges as options."""
    given = {"kube.cluster_cidr": clusters, "kube.node_cidr_mask_size": masks, "kube.service_cidr": services}
    return {name: value for name, value in given.items() if value}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (ranges("10.244.0.0/16", "99"), "/99 is longer than an IPv4 address (32 bits)"),
        (ranges("10.244.0.0/16", "12"), "/12 is shorter than the cluster CIDR 10.244.0.0/16"),
        (ranges("fd00::/40", "64"), "/64 is more than 16 bits longer than the cluster CIDR fd00::/40"),
        (ranges("10.0.0.0/8,10.1.0.0/16"), "10.0.0.0/8 and 10.1.0.0/16 are both IPv4: two cluster CIDRs must be of different"),
        (ranges("10.0.0.0/8,fd00::/56,10.1.0.0/16"), "3 cluster CIDRs: there can be two at most"),
        (ranges("", "24,64,24"), "there are 3 node masks for at most 2 cluster CIDRs"),
        (ranges(services="fd00::/108,fd01::/108"), "both IPv6: two service ranges must be of different families"),
    ],
)
def test_ranges_that_no_controller_manager_would_start_with_are_mistakes(given: dict[str, object], told: str) -> None:
    assert told in wrong(options=given)


def test_every_mistake_of_the_ranges_is_told_with_where_it_was_given() -> None:
    told = wrong(environment={"FLANNELSCOPE_KUBE_NODE_CIDR_MASK_SIZE": "33,129"}, options=ranges("10.0.0.0/8,10.1.0.0/16"))
    assert "129 is no prefix length" in told
    told = wrong(environment={"FLANNELSCOPE_KUBE_NODE_CIDR_MASK_SIZE": "33,8"}, options=ranges("10.0.0.0/8,10.1.0.0/16"))
    assert "environment FLANNELSCOPE_KUBE_NODE_CIDR_MASK_SIZE: /33 is longer" in told
    assert "environment FLANNELSCOPE_KUBE_NODE_CIDR_MASK_SIZE: /8 is shorter" in told
    assert "option --cluster-cidr: 10.0.0.0/8 and 10.1.0.0/16 are both IPv4" in told


@pytest.mark.parametrize(
    "given",
    [
        ranges("10.244.0.0/16", "24"),
        ranges("10.244.0.0/16", "16"),
        ranges("10.244.0.0/16", "32"),
        ranges("fd00::/48,10.0.0.0/8", "64,24", "10.96.0.0/12,fd01::/108"),
        ranges("10.0.0.0/8,fd00::/48", "24"),
        ranges("", "120"),
    ],
)
def test_ranges_that_a_controller_manager_would_start_with_are_taken(given: dict[str, object]) -> None:
    assert load(given, environment={}).origins.keys() == given.keys()


def test_a_question_about_ranges_may_be_about_wrong_ones() -> None:
    asked = load(ranges("10.0.0.0/8,10.1.0.0/16", "99"), environment={}, asking=True)
    assert (asked.cluster_cidrs, asked.node_masks) == (("10.0.0.0/8", "10.1.0.0/16"), (99,))


def test_kubeconfig_of_the_environment_is_left_to_kubectls_rules() -> None:
    config = load(environment={"KUBECONFIG": "/a:/b"})
    assert config.kubeconfig == ("/a", "/b")
    assert config.settings().kubeconfig == ()  # a missing file among them is no mistake
    assert ("kube.kubeconfig", ("/a", "/b"), "environment KUBECONFIG") in list(config.show())
    named = load({"kube.kubeconfig": "/c"}, environment={"KUBECONFIG": "/a:/b"})
    assert named.settings().kubeconfig == ("/c",)


def test_keys_are_the_actions_of_the_console(tmp_path: Path) -> None:
    file = write(tmp_path, '[keys]\ntable.wide = "v"\n"app.reread" = "ctrl+r"\n')
    config = load(file=file, environment={"FLANNELSCOPE_KEYS_TABLE_PAGE_DOWN": "J"})
    assert config.keys == {"table.wide": "v", "app.reread": "ctrl+r", "table.page-down": "J"}
    with pytest.raises(UsageError, match=r"no action table\.wide"):
        load(file=file, environment={}, actions=lambda: {"app.reread"})


def test_settings_carry_what_is_read_and_how() -> None:
    config = Config(context="prod", pods="none", cluster_cidrs=("10.0.0.0/8",), node_masks=(24,), service_cidrs=("10.96.0.0/12",))
    settings = config.settings(demo="twins")
    assert (settings.context, settings.demo, settings.pods) == ("prod", "twins", "none")
    assert settings.start.declared.cluster_cidrs == ("10.0.0.0/8",)


def test_a_variable_of_another_name_is_nobodys_business() -> None:
    load(environment={"FLANNELSCOPE_SOMETHING": "1", "FLANNELSCOPE_KUBE": "x"})
