"""A cluster in which every text is an attack on whoever shows it: for tests of reports, tables and screens.

The API server would refuse many of these names; annotations, messages, images and ConfigMaps may hold all of them, and a
file that is read in place of a cluster may hold anything. Every kind of object carries every one of `TEXTS`, and there
are findings on them (twins, an announcement that cannot be used), so that the texts reach summaries and evidence too.

    source = SimulatedSource(hostile())     # what is drawn must hold no character of FORBIDDEN and no lost bracket
"""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import Cluster, Gap, Node, Pod, PodDetail, Snapshot, Topic
from tests.engine.builders import (
    NOW,
    announced,
    daemonset,
    event,
    flannel_pod,
    lease,
    mac_of,
    manager_pod,
    net_conf,
    node,
    pod,
    running,
    snapshot,
)

ESCAPES = (
    "\x1b[31mred\x1b[0m",  # colour
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b]0;owned\x07",  # window title
    "\x1b]52;c;cm0gLXJm\x1b\\",  # clipboard
    "\x1bPq#0;2;0;0;0\x1b\\",  # sixel
    "\x9b1A\x9d0;t\x9c",  # the same in the 8-bit form
    "bell\x07back\x08\x08\x08\x7f",
    "over\rwritten\nsecond line\tcell",
    "nul\x00byte",
)
BIDI = (
    "right\u202eot-tfel\u202c",  # override
    "mark\u200f\u200e\u061c",
    "isolate\u2066inner\u2069",
    "zero\u200bwidth\ufeff\u2060",
    "tag\U000e0041\U000e0042variation\ufe0f",
    "lone surrogate \udcff",
)
MARKUP = (
    "[fd00::1]:8472",
    "[/red]",
    "[bold red]not bold[/]",
    "via 10.0.0.1 [proto 80]",
    "[ERROR] lost",
    "peer [/32] gone",
    "[@click=app.quit]press[/]",
    "$x {y} %s %(name)s \\[z]",
    "| a | `b` | <script>alert(1)</script> |",  # Markdown and HTML
    'label="a\\nb"',  # Prometheus
)
WIDE = ("汉字汉字汉字汉字", "e\u0301\u0302\u0303", "👩\u200d👩\u200d👧\u200d👦", "=HYPERLINK(1)", "-rf", "")
TEXTS = ESCAPES + BIDI + MARKUP + WIDE
HUGE = "[x]\x1b[5m" + "A" * 200_000
FORBIDDEN = frozenset(
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F))]
    + [chr(code) for code in (*range(0x2060, 0x2070), 0xFEFF, *range(0xD800, 0xE000), *range(0xE0000, 0xE0080))]
)


def hostile() -> Snapshot:
    """The whole cluster, read to its end, with a Gap for every text."""
    nodes = tuple(_node(index, text) for index, text in enumerate(TEXTS))
    pods = tuple(_pod(index, text, nodes[index]) for index, text in enumerate(TEXTS))
    flannel = tuple(_flannel_pod(text, nodes[index]) for index, text in enumerate(TEXTS))
    last = len(TEXTS) - 1
    return snapshot(
        nodes,
        pods=(*pods, *flannel),
        flannel_pods=flannel,
        control_plane_pods=(manager_pod(*(f"--made-up={text}" for text in TEXTS), "--cluster-cidr=10.244.0.0/16"),),
        daemonsets=(daemonset(len(nodes), image=f"registry/{TEXTS[last]}/flannel:v0.28.10{ESCAPES[0]}"),),
        config_maps=(net_conf(**{text: text for text in TEXTS if "\udcff" not in text}),),
        leases=tuple(lease(n) for n in nodes),
        events=tuple(event(f"Reason{text}", nodes[index], f"says {text}") for index, text in enumerate(TEXTS)),
        gaps=tuple(Gap(Topic.PODS, f"refused: {text}", node=nodes[index].name) for index, text in enumerate(TEXTS)),
        cluster=Cluster(
            uid=f"uid{ESCAPES[0]}",
            server=f"https://{MARKUP[0]}{ESCAPES[1]}",
            context=f"{MARKUP[1]}{BIDI[0]}",
            version=f"v1.34.4{ESCAPES[2]}",
            major=1,
            minor=34,
            now=NOW,
        ),
    )


def _node(index: int, text: str) -> Node:
    """Every second Node shares the podCIDR of the one before it; every fifth holds the text as podCIDR."""
    cidrs = (text,) if index % 5 == 4 else (f"10.244.{index // 2}.0/24",)
    made = announced(node(f"n{index:02d}{text}", *cidrs, ip=f"10.20.0.{index + 1}"), mac=mac_of(str(index)))
    said = dict(made.annotations)
    if index % 7 == 3:
        said[DEFAULT_PREFIX + "public-ip"] = text
    if index % 7 == 5:
        said[DEFAULT_PREFIX + "backend-data"] = HUGE
    if index % 7 == 6:
        said[DEFAULT_PREFIX + "backend-type"] = text
    return replace(
        made,
        annotations=said,
        labels={**made.labels, f"label/{text}": text},
        ready="True" if index % 3 else "False",
        ready_reason=f"NetworkPluginNotReady{text}" if index % 2 else "NetworkPluginNotReady",
        ready_message=text,
        kubelet_version=f"v1.34.4{text}",
        container_runtime=text,
    )


def _pod(index: int, text: str, on: Node) -> Pod:
    return pod(f"pod-{index:02d}{text}", on, f"10.244.{index // 2}.7", namespace=f"space{text}")


def _flannel_pod(text: str, on: Node) -> Pod:
    made = flannel_pod(on, running(message=text, last_reason=text, image=f"flannel:{text}"))
    detail = made.detail or PodDetail()
    return replace(made, name=f"kube-flannel-ds{text}", detail=replace(detail, labels={**detail.labels, text: text}))
