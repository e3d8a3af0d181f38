"""Programs are built once a machine: taken over where they are of the right version, and never half there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import programs
from tests.lab.processes import started_at, wait_until
from tests.lab.programs import compilers, images, recipes, shelf, tools, workshop
from tests.lab.programs.__main__ import main
from tests.lab.programs.recipes import Recipe

REPOSITORY = Path(__file__).resolve().parents[2]
TOLD = "#!/bin/sh\necho thing v{version}\n"
# A go that says how old it is, counts what it builds, and builds a program that tells version 1.2.3.
A_GO = """#!/bin/sh
if [ "$1" = env ]; then echo go9.9; exit; fi
if [ "$1" = mod ]; then echo "no proxy here" >&2; exit 1; fi
echo "$$" >> {counted}
while [ "$1" != -o ]; do shift; done
{meanwhile}
printf '#!/bin/sh\\necho thing v1.2.3\\n' > "$2/thing"; chmod +x "$2/thing"
"""
THING = Recipe("thing", "1.2.3", {"thing": "example.org/thing"}, {"example.org/v": "v1.2.3"}, {"thing": ("--version",)})
A_BUILDER = """
from tests.lab.programs import recipes, images, shelf, workshop
from pathlib import Path
recipes.MODULES = Path({modules!r})
THING = recipes.Recipe("thing", "1.2.3", {{"thing": "example.org/thing"}}, {{}}, {{"thing": ("--version",)}})
workshop.RECIPES = shelf.RECIPES = images.RECIPES = (THING,)
workshop.provide()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, an empty earlier lab, and one thing to build."""
    (tmp_path / "go/thing-1.2.3").mkdir(parents=True)
    (tmp_path / "go/thing-1.2.3/go.mod").write_text("module lab\n\ngo 1.19\n")
    (tmp_path / "earlier/bin").mkdir(parents=True)
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "earlier"))
    monkeypatch.setattr(recipes, "MODULES", tmp_path / "go")
    for module in (workshop, shelf, images):
        monkeypatch.setattr(module, "RECIPES", (THING,))
    return tmp_path


@pytest.fixture
def go(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a go first on the path; the answer is the file in which it counts its builds."""

    def put(meanwhile: str = "") -> Path:
        counted = home / "counted"
        (home / "bin").mkdir(exist_ok=True)
        (home / "bin/go").write_text(A_GO.format(counted=counted, meanwhile=meanwhile))
        (home / "bin/go").chmod(0o755)
        monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
        return counted

    return put


def builder(home: Path, said: str = "said") -> subprocess.Popen[bytes]:
    script = A_BUILDER.format(modules=str(home / "go"))
    with (home / said).open("w") as words:
        return subprocess.Popen([sys.executable, "-uc", script], cwd=REPOSITORY, stdout=words, stderr=words)


def program(path: Path, version: str) -> None:
    path.write_text(TOLD.format(version=version))
    path.chmod(0o755)


def test_what_an_earlier_lab_built_is_linked_not_built(home: Path) -> None:
    program(home / "earlier/bin/thing", "1.2.3")
    said: list[str] = []
    workshop.provide(said.append)
    assert said[0] == f"thing-1.2.3: taken over from {home / 'earlier/bin'}"
    assert shelf.program("thing").samefile(home / "earlier/bin/thing")
    workshop.provide(said.append)
    assert len(said) == 2, "the second time there is nothing to do (and an image was made the first time)"


@pytest.mark.parametrize("version", ["1.2.30", "1.2", "11.2.3"])
def test_another_version_is_not_taken_over(version: str, home: Path, go: Callable[[str], Path]) -> None:
    program(home / "earlier/bin/thing", version)
    counted = go("")
    workshop.provide(lambda line: None)
    assert len(counted.read_text().splitlines()) == 1
    assert not shelf.differs(THING, shelf.folder(THING))


def test_a_failed_build_says_the_last_word_and_where_the_others_are(home: Path, go: Callable[[str], Path]) -> None:
    go("echo first; echo 'no such package' >&2; exit 1")
    with pytest.raises(programs.CannotBuild, match=r"thing-1\.2\.3 cannot be built: no such package \(all of it: .*\.log\)"):
        workshop.provide(lambda line: None)
    assert not shelf.stands(THING)


def test_a_killed_builder_leaves_no_program_and_no_compiler_and_the_next_one_builds(
    home: Path, go: Callable[[str], Path]
) -> None:
    counted = go('touch "$2/thing"; while :; do sleep 0.1; done')
    killed = builder(home)
    wait_until(counted.exists, "go runs")
    compiler = int(counted.read_text())
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    wait_until(lambda: started_at(compiler) is None, "its go has ended")
    assert not shelf.stands(THING)
    go("")
    workshop.provide(lambda line: None)
    assert not shelf.differs(THING, shelf.folder(THING))
    assert not list((home / "cache/building").iterdir()), "what the killed one left was removed"


def test_of_two_builders_one_waits_and_builds_nothing(home: Path, go: Callable[[str], Path]) -> None:
    counted = go(f"while [ ! -e {home / 'enough'} ]; do sleep 0.05; done")
    first = builder(home)
    wait_until(counted.exists, "the first one's go runs")
    second = builder(home, "said-second")
    wait_until(lambda: "waiting for it" in (home / "said-second").read_text(), "the second one waits")
    (home / "enough").touch()
    assert first.wait(30) == second.wait(30) == 0
    assert len(counted.read_text().splitlines()) == 1


def test_without_a_compiler_it_is_said_which(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "bin").mkdir()
    monkeypatch.setattr(compilers, "USUAL", ())
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert compilers.why_not(THING).startswith("there is no go, of whatever version")
    with_its_own = Recipe("thing", "1.2.3", {}, {}, {}, compiler=home / "old")
    assert compilers.why_not(with_its_own) == f"there is no {home / 'old/go'} (apt install golang-1.19-go)"


def test_a_go_that_is_too_old_is_one_that_fetches_another(home: Path, go: Callable[[str], Path]) -> None:
    counted = go("")
    (home / "go/thing-1.2.3/go.mod").write_text("module lab\n\ngo 10.0\n")
    with pytest.raises(programs.CannotBuild, match=r"thing-1\.2\.3 is not built: Go 1\.26\.8 cannot be fetched: no proxy here"):
        workshop.provide(lambda line: None)
    assert not counted.exists()


def test_missing_tools_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PATH", "/nowhere")
    assert tools.lacking()[:3] == ["etcd-server", "containerd", "runc"]
    if os.geteuid() == 0:
        assert programs.missing().startswith("the lab needs Debian packages: apt install etcd-server containerd runc")


def test_images_are_whole_and_the_same_whoever_makes_them(home: Path) -> None:
    program(home / "earlier/bin/thing", "1.2.3")
    workshop.provide(lambda line: None)
    first = images.archive(programs.BUSYBOX).read_bytes()
    with tarfile.open(images.archive(programs.BUSYBOX)) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or pytest.fail("no manifest"))
        assert manifest[0]["RepoTags"] == ["lab.local/busybox:1"]
        assert set(tar.getnames()) == {"manifest.json", manifest[0]["Config"], *manifest[0]["Layers"]}
    images.archive(programs.BUSYBOX).unlink()
    workshop.provide(lambda line: None)
    assert images.archive(programs.BUSYBOX).read_bytes() == first


def test_every_recipe_pins_its_modules_and_is_told_apart_by_its_name() -> None:
    assert len({recipe.title for recipe in recipes.RECIPES}) == len(recipes.RECIPES)
    for recipe in recipes.RECIPES:
        pinned = (recipe.modules / "go.mod").read_text()
        assert any(f"v{recipe.version}" in line for line in pinned.splitlines() if "require" in line), recipe.title
        assert (recipe.modules / "go.sum").stat().st_size > 1000
        assert set(recipe.tells) == set(recipe.packages)


def test_what_is_built_here_tells_its_version() -> None:
    built = [recipe for recipe in recipes.RECIPES if shelf.stands(recipe)]
    if not built:
        pytest.skip("nothing is built yet: python -m tests.lab build")
    assert [shelf.differs(recipe, shelf.folder(recipe)) for recipe in built] == [""] * len(built)


def test_what_is_to_be_installed_is_one_package_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "PATH", "/nowhere")
    assert main("packages") == 0
    assert capsys.readouterr().out.splitlines() == tools.lacking()
    monkeypatch.setattr(tools, "PACKAGES", {"/bin/sh": "dash"})
    assert main("packages") == 0
    assert capsys.readouterr().out == ""
