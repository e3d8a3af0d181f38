"""Before anything is drawn: a plain kubeconfig costs nothing, one that may ask or is wrong is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from flannelscope.session import Settings
from tui.console import _plain

PLAIN = "apiVersion: v1\nkind: Config\ncurrent-context: prod\nusers: [{name: me, user: {token-file: /t}}]\n"


@pytest.mark.parametrize(
    ("content", "context", "plain"),
    [
        (PLAIN, "", True),
        (PLAIN, "prod", True),
        (PLAIN, "prdo", False),
        (PLAIN + "exec: {command: login}", "", False),
    ],
    ids=["as it is", "a context it names", "a context it does not name", "an exec plugin"],
)
def test_a_kubeconfig_by_its_bytes(tmp_path: Path, content: str, context: str, plain: bool) -> None:
    file = tmp_path / "config"
    file.write_text(content)
    assert _plain(Settings(kubeconfig=(str(file),), context=context)) is plain


def test_a_file_that_is_not_there_is_looked_into(tmp_path: Path) -> None:
    assert not _plain(Settings(kubeconfig=(str(tmp_path / "none"),)))


def test_the_files_of_the_environment_count_as_kubectl_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default file is plain, but another one is in effect, whose plugin wants to ask before anything is drawn."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(PLAIN)
    assert _plain(Settings())
    other = tmp_path / "other"
    other.write_text(PLAIN + "exec: {command: login}")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / '.kube' / 'config'}:{other}")
    assert not _plain(Settings())
