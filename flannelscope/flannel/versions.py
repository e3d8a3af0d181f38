"""flannel's release from an image: registry, architecture and build suffixes are no part of it.

v0.14.0-amd64, v0.22.2-build20230901 and v0.28.9-rancher1 are the releases 0.14.0, 0.22.2 and 0.28.9. A digest or a tag
such as `latest` tells no release: it is "unknown", which is not the same as different.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flannelscope.model import Pod

UNKNOWN = "unknown"
Release = tuple[int, int, int]

_TAG = re.compile(r"^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:$|[-+._])")


@lru_cache(maxsize=1024)
def image_release(image: str) -> Release | None:
    """The release in an image reference (`registry:port/repository:tag@digest`), or None where it tells none."""
    repository, _, _ = image.partition("@")
    name = repository.rpartition("/")[2]
    return parse_release(name.partition(":")[2])


def parse_release(text: str) -> Release | None:
    """(0, 22, 2) for "v0.22.2-build20230901", None for what is no version of three numbers."""
    found = _TAG.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def show_release(release: Release | None) -> str:
    """The text of a release as flannel's tags have it: v0.22.2, or "unknown"."""
    return UNKNOWN if release is None else f"v{release[0]}.{release[1]}.{release[2]}"


def image_version(*images: str) -> str:
    """The release that the first of these images with a release tells, or "unknown"."""
    return show_release(next((r for r in map(image_release, images) if r is not None), None))


def pod_version(pod: Pod, container: str) -> str:
    """The release that runs in this container of a pod: by its specification, else by the image the runtime reports."""
    if pod.detail is None:
        return UNKNOWN
    asked = (c.image for c in pod.detail.containers if c.name == container)
    ran = (s.image for s in pod.detail.statuses if s.name == container and not s.init)
    return image_version(*asked, *ran)
