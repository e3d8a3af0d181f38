"""Which programs the lab builds, of which version, and how each tells its version. Their modules are pinned in `tests/lab/go`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.settings import FLANNEL, KUBERNETES

MODULES = Path(__file__).resolve().parents[1] / "go"

OLD_FLANNEL = "0.14.0"  # of the time when clusters were migrated from it, with other words in its log
CNI_PLUGINS = "0.9.1"


@dataclass(frozen=True)
class Recipe:
    """Programs that are built together.

    `packages` maps a program to the Go package that it is; `variables` are set in the linked program, so that it tells its
    version as a released one does; `tells` maps a program to the arguments that make it print this version. `compiler` is
    the folder of a Go of its own, where the usual one will not do; what then cannot be built is done without.
    """

    name: str
    version: str
    packages: dict[str, str]
    variables: dict[str, str]
    tells: dict[str, tuple[str, ...]]
    c: bool = False
    compiler: Path | None = None

    @property
    def title(self) -> str:
        """Name and version, which are also its folder's name in the cache and in `tests/lab/go`."""
        return f"{self.name}-{self.version}"

    @property
    def modules(self) -> Path:
        """The folder with go.mod and go.sum, which say what it is built from, with checksums."""
        return MODULES / self.title


def kubernetes(version: str) -> Recipe:
    """Kubernetes from the module proxy: without these variables a kubelet says that it is v0.0.0-master."""
    programs = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
    component = "k8s.io/component-base/version"
    major, minor, _ = version.split(".")
    return Recipe(
        "kubernetes",
        version,
        {program: f"k8s.io/kubernetes/cmd/{program}" for program in programs},
        {
            f"{component}.gitVersion": f"v{version}",
            f"{component}.gitMajor": major,
            f"{component}.gitMinor": minor,
            f"{component}.gitTreeState": "clean",
        },
        {program: ("version", "--client") if program == "kubectl" else ("--version",) for program in programs},
    )


def flannel(version: str, variable: str, compiler: Path | None = None) -> Recipe:
    """flanneld; its backend udp is C. `variable` is the package that holds the version, which moved over the years."""
    module = "github.com/flannel-io/flannel"
    return Recipe(
        "flannel",
        version,
        {"flanneld": module},
        {f"{module}/{variable}.Version": f"v{version}"},
        {"flanneld": ("--version",)},
        c=True,
        compiler=compiler,
    )


def cni_plugin(version: str) -> Recipe:
    """The CNI plugin `flannel`, of the last release of the plugins that still had it; the others come with the system."""
    plugins = "github.com/containernetworking/plugins"
    return Recipe(
        "cni-flannel",
        version,
        {"flannel": f"{plugins}/plugins/meta/flannel"},
        {f"{plugins}/pkg/utils/buildversion.BuildVersion": f"v{version}"},
        {"flannel": ("--version",)},
    )


RECIPES = (
    cni_plugin(CNI_PLUGINS),
    flannel(FLANNEL, "pkg/version"),
    # A newer Go builds it too, but then it panics at its start.
    flannel(OLD_FLANNEL, "version", compiler=Path("/usr/lib/go-1.19/bin")),
    kubernetes(KUBERNETES),
)
