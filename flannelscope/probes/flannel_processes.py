"""Which processes of a node are taken for flanneld: a name is not enough, for every pod may choose its own.

flanneld works on the node's own network, so only what runs there counts. The files below /proc/PID/net belong to the network
namespace of that process (proc_net(5)): their inode is another one in each, and everybody may ask for it.
"""

from __future__ import annotations

# Leaves their folders below /proc in $q. Where this kernel tells no inode, nobody is left out: that nothing runs would be worse.
FIND = r"""
w=$(stat -L -c %i /proc/self/net/dev 2>/dev/null)
q=
for c in $(grep -ls '^flanneld' /proc/[0-9]*/comm); do
  c=${c%/comm}
  [ -z "$w" ] || [ "$w" = "$(stat -L -c %i "$c/net/dev" 2>/dev/null)" ] || continue
  q="$q $c"
done
"""
