"""CNI's configurations in the order in which a runtime reads them, and which plugins are there.

The directories are those that containerd's or CRI-O's own configuration names, else k3s' or RKE2's, else the usual ones.
"""

from __future__ import annotations

import re

from flannelscope.model.hostfiles import Cni, CniFile
from flannelscope.probes import Parsed, Probe, Unparsable, Way

READ = r"""
r=/var/lib/rancher
t="/etc/containerd/config.toml $r/k3s/agent/etc/containerd/config.toml $r/rke2/agent/etc/containerd/config.toml"
o='/etc/crio/crio.conf /etc/crio/crio.conf.d/*'
e='^[[:space:]]*((conf_dir|bin_dirs?|network_dir|plugin_dirs)[[:space:]]*=|["'\''][^"'\'']*["'\''],?[[:space:]]*$|\])'
grep -shE "$e" $t $o | {
c= b= n= p= k= more=
while IFS= read -r l; do
  case $l in *=*) k=${l%%=*} v= more=1;; *]*) more=; continue;; *) [ -n "$more" ] || continue;; esac
  set -f; IFS=" 	'\"[],"
  for w in ${l#*=}; do [ -z "$w" ] || v="${v:+$v }${w%/}"; done
  IFS=' '; set +f
  case $l in *=*[*]*) more=;; *=*[*) more=1;; *=*) more=;; esac
  case $k in *conf_dir*) c=$v;; *bin_dir*) b=$v;; *network_dir*) n=$v;; *plugin_dirs*) p=$v;; esac
done
c=${c:-$n} b=${b:-$p}
for d in $r/k3s/agent/etc/cni/net.d $r/rke2/agent/etc/cni/net.d; do [ -n "$c" ] || [ ! -d "$d" ] || c=$d; done
[ -n "$b" ] || [ ! -d $r/k3s/data/current/bin ] || b=$r/k3s/data/current/bin
c=${c:-/etc/cni/net.d}
printf '== conf %s\n' "$c"
[ ! -d "$c" ] || [ -r "$c" ] || echo '== closed'
for f in "$c"/*; do
  n=${f##*/}
  case $n in *.conf|*.conflist|*.json) [ -f "$f" ] || continue;; *) continue;; esac
  if [ -r "$f" ]; then printf '== file %s\n' "$n"; cat "$f"; printf '\n== end\n'; else printf '== hidden %s\n' "$n"; fi
done
for d in ${b:-/opt/cni/bin}; do
  [ -d "$d" ] || continue
  printf '== bin %s\n' "$d"
  for f in "$d"/*; do [ ! -f "$f" ] || [ ! -x "$f" ] || printf '%s\n' "${f##*/}"; done
done
}
"""
_PIECE = re.compile(rb"^== (conf|file|hidden|closed|bin|end)(?: ([^\n]*))?\n", re.MULTILINE)


def parse(output: bytes) -> Parsed[Cni]:
    """Configurations and plugins; raises Unparsable. A file that may not be read is counted as not understood."""
    pieces = _PIECE.split(output + b"\n")[1:]
    conf_dir, files, bins, unparsed = "", [], {}, []
    for sign, word, rest in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        name, content = (word or b"").decode("utf-8", "replace"), rest.decode("utf-8", "replace")
        if sign == b"conf":
            conf_dir = name
        elif sign == b"file":
            files.append(CniFile(name, content.removesuffix("\n")))
        elif sign == b"hidden":
            unparsed.append(f"{name}: it may not be read")
        elif sign == b"closed":
            raise Unparsable(f"{conf_dir} may not be read")
        elif sign == b"bin":
            bins[name] = tuple(plugin for plugin in content.split("\n") if plugin)
    if not conf_dir:
        raise Unparsable("the directory of configurations was not told")
    # Runtimes sort by bytes, as Go does.
    files.sort(key=lambda file: file.name.encode("utf-8", "replace"))
    return Parsed(Cni(conf_dir=conf_dir, files=tuple(files), bin_dirs=bins), tuple(unparsed))


PROBE = Probe("cni", "CNI configuration", (Way(parse, shell=READ, program="grep"),), limit=500_000)
