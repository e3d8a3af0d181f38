"""Everything one node said, exactly: the answer to each command, as it came but for control characters."""

from __future__ import annotations

from flannelscope.details import About, detail
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.kernels import kernel_of
from flannelscope.model import Kernel
from flannelscope.node_views import RawSection, RawView
from flannelscope.probes import all_probes
from flannelscope.text import clean, clean_lines

MOST = 200_000  # characters of one answer that are shown


@detail("raw")
def raw(facts: Facts, judgement: Judgement, about: About) -> RawView | None:
    """The newest reading of the node."""
    name = about[0] if about else ""
    if name not in facts.nodes:
        return None
    kernel = kernel_of(facts.snapshot, name)
    if kernel is None:
        return RawView(node=name, missing=clean(facts.why_no_kernel(name), 300))
    return RawView(node=name, origin=clean(kernel.origin), at=kernel.at, sections=_sections(kernel))


def _sections(kernel: Kernel) -> tuple[RawSection, ...]:
    titles = {name: probe.title for name, probe in all_probes().items()}
    made = []
    for name in sorted({*kernel.raw, *kernel.missing}, key=lambda name: (name not in kernel.raw, name)):
        said = kernel.raw.get(name)
        if said is None:
            made.append(RawSection(title=titles.get(name, name), command="", output="", error=clean(kernel.missing[name], 300)))
            continue
        text = said.output[: 4 * MOST].decode("utf-8", "replace")
        made.append(
            RawSection(
                title=titles.get(name, name),
                command=clean(said.command, 500),
                output=clean_lines(text[:MOST]),
                error=clean(said.error or kernel.missing.get(name, ""), 500),
                status=said.status,
                cut=said.cut or len(text) > MOST,
            )
        )
    return tuple(made)
