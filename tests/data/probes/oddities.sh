# Fills the network namespace it is run in with devices, addresses, routes, neighbours, FDB entries and rules of many kinds.
# A kernel that lacks a kind goes without it. Run it as: unshare --net sh oddities.sh
set -eu
x() { ip "$@"; }
may() { x "$@" 2>/dev/null || :; }
x link set lo up
x link add eth0 address 02:00:00:00:00:01 type veth peer name eth0p address 02:00:00:00:00:0a
x link set eth0p up
x link set eth0 up
x addr add 172.30.0.11/16 brd + dev eth0
x addr add fd00:30::11/64 dev eth0 nodad
x link add eth1 type veth peer name eth1p
x link set eth1 up
x addr add 192.0.2.1 peer 192.0.2.2/32 dev eth1
may link add link eth0 name eth0.5 type vlan id 5
may link set eth0.5 up
may link add link eth0 name mv0 type macvlan mode bridge
may link add bond1 type bond mode active-backup
x link add br0 type bridge
x link add flannel.1 mtu 1450 address 1e:ad:ab:73:5f:4e type vxlan id 1 local 172.30.0.11 dev eth0 dstport 8472 nolearning
x link set flannel.1 up
x addr add 10.244.0.0/32 dev flannel.1
x link add flannel-v6.1 address 1e:ad:ab:73:5f:50 type vxlan id 1 local fd00:30::11 dev eth0 dstport 8472 nolearning
x link set flannel-v6.1 up
x link add vx4096 type vxlan id 4096 dstport 4789 gbp
may link add wg-like type ifb
may link add ipip1 type ipip local 172.30.0.11 remote any
may link add nlmon0 type nlmon
x link set eth1p master br0
x link set br0 up
x route add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink
x route add 10.244.2.0/24 via 172.30.0.12 dev eth0
x route add 10.244.3.0/24 via inet6 fe80::1 dev eth0
x route add 10.244.4.0/24 nexthop via 172.30.0.13 dev eth0 weight 1 nexthop via 172.30.0.14 dev eth0 weight 2
x route add blackhole 10.244.0.0/16
x route add unreachable 10.99.0.0/16 metric 4278198272
x route add prohibit 10.98.0.1
x route add throw 10.97.0.0/16 table 100
x route add default via 172.30.0.1 dev eth0 proto static metric 100
x route add default dev eth1 scope link metric 7
x route add 10.96.0.0/12 dev br0 proto bird src 172.30.0.11 mtu 1400
x route add 10.95.0.0/24 dev br0 table 1000
x -6 route add fd00:10:244:1::/64 via fd00:10:244:1:: dev flannel-v6.1 onlink
x -6 route add default dev eth0 metric 1024
x -6 route add blackhole fd00:10:244::/56
x -6 route add fd00:99::/64 nexthop via fd00:30::1 dev eth0 nexthop via fd00:30::2 dev eth0
x neigh add 10.244.1.0 lladdr ae:fe:d8:57:f6:95 dev flannel.1 nud permanent
x neigh add fd00:10:244:1:: lladdr ae:fe:d8:57:f6:95 dev flannel-v6.1 nud permanent
x neigh add 172.30.0.12 lladdr 02:00:00:00:00:02 dev eth0 nud reachable
x neigh add 172.30.0.14 lladdr 02:00:00:00:00:04 dev eth0 nud stale
x neigh add proxy 172.30.9.9 dev eth0
bridge fdb add ae:fe:d8:57:f6:95 dev flannel.1 dst 172.30.0.12 self permanent
bridge fdb add 00:00:00:00:00:00 dev vx4096 dst 172.30.0.13 via eth0 port 4790 vni 7 self permanent
bridge fdb add ae:fe:d8:57:f6:96 dev flannel-v6.1 dst fd00:30::12 self permanent
bridge fdb add 02:00:00:00:00:77 dev eth1p master static
x rule add from 10.9.0.0/16 to 10.8.0.0/16 fwmark 0x1/0xff iif eth0 lookup 100 priority 77
x rule add not from 10.9.0.1 goto 32766 priority 78
x rule add fwmark 0x2 blackhole priority 79
x rule add not fwmark 0xca6c table 51820 priority 80
x rule add table main suppress_prefixlength 0 priority 81
x rule add oif eth1 prohibit priority 82
x -6 rule add from fd00:9::/64 lookup 200 priority 90
x link set eth1p down
