"""The rules of iptables with their counters: both flavours, for a kernel may hold both at once, and both families.

Only asked where nothing has to be loaded into the kernel for it: without the module nf_tables there are no rules of it.
"""

from __future__ import annotations

from flannelscope.model.firewall import SavedTable
from flannelscope.model.kernel import Said
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.firewall_saves import tables
from flannelscope.probes.framing import Part, parts

NAMES = {4: ("cat", "/proc/net/ip_tables_names"), 6: ("cat", "/proc/net/ip6_tables_names")}
SAVES: dict[tuple[str, ...], tuple[str, int]] = {
    ("iptables-nft-save", "-c"): ("nft", 4),
    ("ip6tables-nft-save", "-c"): ("nft", 6),
    ("iptables-legacy-save", "-c"): ("legacy", 4),
    ("ip6tables-legacy-save", "-c"): ("legacy", 6),
    ("iptables-save", "-c"): ("", 4),
    ("ip6tables-save", "-c"): ("", 6),
}
ALL = (*SAVES, *NAMES.values())
# To ask for the rules of nf_tables loads it where it is a module that is not there yet, and reading must change nothing: it is
# asked where the kernel has it already. Its symbols tell that of what is built in, too; where a kernel hides them, there must be
# no file of the module.
NFT = (
    '[ -n "$KT" ] || if [ -e /sys/module/nf_tables ] || grep -qs nf_tables_newtable /proc/kallsyms; then KT=yes;'
    " elif grep -qs . /proc/kallsyms; then KT=no;"
    ' elif [ -z "$(find "/lib/modules/$(uname -r)/" -name "nf_tables.ko*" 2>/dev/null)" ]; then KT=yes; else KT=no; fi;'
    " [ $KT = yes ]"
)


def parse(output: bytes) -> Parsed[tuple[SavedTable, ...]]:
    """The tables of every flavour and family that answered; raises Unparsable where none did. `unseen` tells which did not."""
    found: list[SavedTable] = []
    unparsed: list[str] = []
    answered = 0
    for argv, part in _saves(output).items():
        if part.status == 0:
            answered += 1
            found += tables(part.output.decode("utf-8", "replace"), *SAVES[argv], unparsed)
    if not answered:
        raise Unparsable("no kind of iptables-save answered")
    return Parsed(tuple(found), tuple(unparsed))


def _saves(output: bytes) -> dict[tuple[str, ...], Part]:
    return {argv: part for argv, part in parts(output, ALL).items() if argv in SAVES}


def unseen(said: Said) -> tuple[tuple[str, int], ...]:
    """Flavours and families of which there may be rules that nobody saw: refused, failed, or the program is not installed
    while the kernel has such tables."""
    found = parts(said.output, ALL)
    missed = []
    for argv, part in _saves(said.output).items():
        flavour, family = SAVES[argv]
        names = found.get(NAMES[family])
        held = names is not None and names.status == 0 and bool(names.output.strip())
        if part.status != 0 and (not part.absent or (flavour == "legacy" and held)):
            missed.append((flavour or "legacy", family))
    return tuple(missed)


def _way(*programs: str, when: str = "") -> Way[tuple[SavedTable, ...]]:
    argvs = (*(argv for argv in SAVES if argv[0] in programs), *NAMES.values())
    return Way(parse, argvs=argvs, program=programs[0], when=when, root=True)


PROBE = Probe(
    "iptables",
    "iptables rules",
    (
        _way("iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save", when=NFT),
        _way("iptables-legacy-save", "ip6tables-legacy-save"),
        _way("iptables-save", "ip6tables-save"),
    ),
    limit=8_000_000,
)
