#!/bin/bash
# What happens on the machine that is recorded. Each output goes to /out/THING/FILE, its command to /out/THING/commands, and what
# was arranged by hand, so that a reader may judge it, to /out/THING/by-hand.
export LC_ALL=C
STORE=http://172.30.0.101:2379
note() { # THING WORDS
  mkdir -p "/out/$1"
  printf '%s' "$2" > "/out/$1/by-hand"
}
record() { # THING FILE COMMAND...
  local folder=/out/$1 file=$2
  shift 2
  mkdir -p "$(dirname "$folder/$file")"
  printf '%s\t%s\n' "$file" "$*" >> "$folder/commands"
  "$@" > "$folder/$file" 2>&1 || echo "failed: $*"
}
inside() { ip netns exec n2 "$@"; }
await() {
  for _ in $(seq 20); do
    timeout 3 "$@" > /dev/null 2>&1 && return
    sleep 0.5
  done
  echo "in vain: $*"
  tail -n 5 /tmp/*.log
  exit 1
}
store() { etcdctl --endpoints "$STORE" "$@"; }

cables() { # two nodes: this machine, and the namespace n2
  ip netns add n2
  ip link add eth1 address 02:00:5e:00:00:01 type veth peer name eth1 address 02:00:5e:00:00:02 netns n2
  ip addr add 172.30.0.101/16 dev eth1
  ip link set eth1 up
  inside ip addr add 172.30.0.102/16 dev eth1
  inside ip link set eth1 up
  inside ip link set lo up
  echo 1 > /proc/sys/net/ipv4/ip_forward
}

run_flannel() { # FOLDER [PREFIX]: becomes flannel
  local folder=/run/$1
  shift
  exec > "/tmp/${folder##*/}.log" 2>&1
  exec env WIREGUARD_KEY_FILE="$folder/key" "$@" flanneld -etcd-endpoints "$STORE" -iface eth1 -subnet-file "$folder/subnet.env"
}

flannel_up() { # CONFIGURATION DEVICE: flannel on both nodes, as real as on a cluster but for its store
  store put /coreos.com/network/config "$1"
  mkdir -p /run/f1 /run/f2
  run_flannel f1 &
  one=$!
  run_flannel f2 /sbin/ip netns exec n2 & # busybox would take its own ip
  two=$!
  await /sbin/ip link show "$2"
  await /sbin/ip -n n2 link show "$2"
  other=$(inside ip -4 -o addr show dev "$2" | awk '{print $4}' | cut -d/ -f1)
  await ping -c 1 -W 1 "$other"
}
flannel_down() { # DEVICE
  kill $one $two
  wait $one $two
  ip link del "$1" 2> /dev/null
  inside ip link del "$1" 2> /dev/null
  store del --prefix /coreos.com
  rm -rf /run/f1 /run/f2
}

pictures() { # THING DEVICE: what the probes ask of any node
  record "$1" ip-d-link.txt ip -d link show dev "$2"
  record "$1" ip-d-link.json ip -d -j link show dev "$2"
  record "$1" ip-s-link.json ip -s -j link show dev "$2"
  record "$1" ip-address.json ip -j address show
  record "$1" ip-route.json ip -j route show
  record "$1" ip-route.txt ip route show
  record "$1" ip-rule.json ip -j rule show
  record "$1" ip-neighbour.json ip -j neighbour show
}

modprobe br_netfilter # without it flannel ends at once
cables
etcd --data-dir /tmp/etcd --listen-client-urls "$STORE" --advertise-client-urls "$STORE" --logger=zap --log-level=warn \
  > /tmp/etcd.log 2>&1 &
etcd=$!
await etcdctl --endpoints "$STORE" endpoint health

note wireguard "two nodes in network namespaces of one machine, joined by a veth pair; flannel itself made the device, \
the peer and the routes, with etcd instead of the Kubernetes API. The device's private key in the dump is hidden; the \
others were thrown away. For the files called peer-gone the peer's flannel was ended and its device deleted."
flannel_up '{"Network":"10.244.0.0/16","Backend":{"Type":"wireguard","PersistentKeepaliveInterval":25}}' flannel-wg
pictures wireguard flannel-wg
record wireguard wg-show.txt wg show
record wireguard wg-show-all-dump.txt wg show all dump
record wireguard subnet.env cat /run/f1/subnet.env
record wireguard etcd-subnets.txt etcdctl --endpoints "$STORE" get --prefix /coreos.com/network/subnets
kill $two; wait $two; inside ip link del flannel-wg
ping -c 2 -W 1 "$other" > /dev/null
record wireguard wg-show-peer-gone.txt wg show
record wireguard wg-show-all-dump-peer-gone.txt wg show all dump
flannel_down flannel-wg

note ipip "two nodes in network namespaces of one machine, joined by a veth pair; flannel itself made the device and \
the routes, with etcd instead of the Kubernetes API. tunl0 is the kernel's own."
modprobe ipip
flannel_up '{"Network":"10.244.0.0/16","Backend":{"Type":"ipip"}}' flannel.ipip
pictures ipip flannel.ipip
record ipip ip-d-link-tunl0.json ip -d -j link show dev tunl0
record ipip ip-tunnel.txt ip tunnel show
record ipip subnet.env cat /run/f1/subnet.env
record ipip etcd-subnets.txt etcdctl --endpoints "$STORE" get --prefix /coreos.com/network/subnets
flannel_down flannel.ipip
kill $etcd

note bond "the cards below are ends of veth pairs, so their speed is what a veth pretends; the other ends were taken \
down for the files that say so. No switch speaks LACP with bond2."
modprobe bonding max_bonds=0
for name in eth2 eth3; do
  ip link add $name type veth peer name far-$name
  ip link set far-$name up
done
ip link add bond1 type bond mode active-backup miimon 100
ip link set eth2 master bond1; ip link set eth3 master bond1
ip addr add 172.31.0.101/16 dev bond1; ip link set bond1 up; sleep 1
pictures bond bond1
record bond bond1.txt cat /proc/net/bonding/bond1
record bond ip-d-link-slave.json ip -d -j link show dev eth2
ip link set far-eth2 down; sleep 1
record bond bond1-one-slave-down.txt cat /proc/net/bonding/bond1
record bond ip-d-link-one-slave-down.json ip -d -j link show
ip link set far-eth3 down; sleep 1
record bond bond1-down.txt cat /proc/net/bonding/bond1
record bond ip-d-link-down.json ip -d -j link show dev bond1
ip link set far-eth2 up; ip link set far-eth3 up
ip link add bond2 type bond mode 802.3ad lacp_rate fast xmit_hash_policy layer3+4 miimon 100
for name in eth4 eth5; do
  ip link add $name type veth peer name far-$name
  ip link set far-$name up
  ip link set $name master bond2
done
ip link set bond2 up; sleep 1
record bond bond2-8023ad-no-partner.txt cat /proc/net/bonding/bond2
record bond ip-d-link-8023ad.json ip -d -j link show dev bond2
record bond bonding_masters.txt cat /sys/class/net/bonding_masters

note vlan "the card below is bond1 of the recordings of bonds."
ip link add link bond1 name bond1.100 type vlan id 100
ip addr add 172.16.100.101/24 dev bond1.100; ip link set bond1.100 up
pictures vlan bond1.100
record vlan vlan-config.txt cat /proc/net/vlan/config
record vlan vlan-bond1.100.txt cat /proc/net/vlan/bond1.100

note dummy "the address is what a node-local DNS cache usually has; it was given by hand."
ip link add dummy0 type dummy; ip addr add 169.254.20.10/32 dev dummy0; ip link set dummy0 up
record dummy ip-d-link.txt ip -d link show dev dummy0
record dummy ip-d-link.json ip -d -j link show dev dummy0
record dummy ip-address.json ip -j address show dev dummy0

note netem "loss and delay were added to eth1 by hand; the pings go over it."
record netem tc-qdisc-before.json tc -j qdisc show dev eth1
tc qdisc add dev eth1 root netem delay 50ms 10ms loss 20%
ping -c 20 -i 0.05 -W 1 172.30.0.102 > /dev/null
record netem tc-qdisc.txt tc qdisc show
record netem tc-qdisc.json tc -j qdisc show
record netem tc-s-qdisc.txt tc -s qdisc show dev eth1
record netem tc-s-qdisc.json tc -s -j qdisc show dev eth1
record netem ping.txt ping -n -c 10 -i 0.1 -W 1 172.30.0.102
tc qdisc del dev eth1 root
tc qdisc add dev eth1 root tbf rate 1mbit burst 32kbit latency 400ms
record netem tc-qdisc-tbf.json tc -j qdisc show dev eth1
tc qdisc del dev eth1 root

note ebtables-legacy "the rules were added by hand."
record ebtables-legacy empty.txt ebtables-legacy -L
ebtables-legacy -A FORWARD -p ARP --logical-in cni0 -j DROP
ebtables-legacy -A FORWARD -p IPv4 --ip-destination 10.244.0.0/16 -j DROP
record ebtables-legacy filter.txt ebtables-legacy -t filter -L --Ln --Lc
record ebtables-legacy filter-plain.txt ebtables-legacy -L
record ebtables-legacy nat.txt ebtables-legacy -t nat -L
record ebtables-legacy version.txt ebtables-legacy --version
record ebtables-legacy modules.txt grep ebt /proc/modules

note cgroup-v2 "the groups were made by hand, with names as systemd and containerd give them; uid and id were thought up. \
The limit of 8 MiB, memory.oom.group and what the kernel did to the real flanneld are real."
pod=kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c1f6e_6f0c_4b7e_9d57_5a2c9f7f2d10.slice
scope=$pod/cri-containerd-6e0f3d0a9c5f4d1b8f3e7a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d.scope
group=/sys/fs/cgroup/$scope
part=/sys/fs/cgroup
for name in ${scope//\// }; do
  echo '+memory +cpu +pids' > "$part/cgroup.subtree_control"
  part=$part/$name
  mkdir "$part"
done
files() { # FOLDER: what the group says of itself
  local file
  for file in cgroup.{events,procs} cpu.{max,stat} memory.{current,high,max,peak,events,events.local,oom.group,stat} pids.max; do
    record cgroup-v2 "$1/$file" cat "$group/$file"
  done
}
in_group() { # COMMAND...: with its own pid in the group
  echo "$BASHPID" > "$group/cgroup.procs"
  exec "$@"
}
too_much() { # PREFIX...: flannel in the group, which has not room enough for it; back when it has ended
  dmesg -c > /dev/null
  (in_group "$@" flanneld -etcd-endpoints "$STORE" -iface eth1 -subnet-file /tmp/never.env) > /dev/null 2>&1 &
  wait $!
}
echo $((8 << 20)) > "$group/memory.max"
files before
echo 1 > "$group/memory.oom.group" # as a kubelet sets it since 1.28
too_much env
record cgroup-v2 dmesg-group.txt dmesg
files after-group
echo 0 > "$group/memory.oom.group"
too_much sh -c '"$@"; true' sh # a child is killed, and its parent lives
record cgroup-v2 dmesg-child.txt dmesg
files after-child
(in_group sleep 5) &
sleep 0.2
record cgroup-v2 proc-cgroup.txt cat /proc/$!/cgroup
record cgroup-v2 cgroup.controllers cat /sys/fs/cgroup/cgroup.controllers
record cgroup-v2 mountinfo.txt grep cgroup2 /proc/self/mountinfo
record cgroup-v2 stat-f.txt stat -f -c %T /sys/fs/cgroup

{
  uname -srv
  ip -V
  wg --version | cut -d' ' -f1,2
  flanneld --version 2>&1 | sed 's/^/flannel /'
} > /out/made-by
