#!/bin/bash
# The init of a machine of the lab: it is process 1 of its own namespaces, makes ROOT its root, and runs its services.
# From outside: NODE (its name), ROOT, LOGS (what it shall see as /var/log), CACHE (programs and images), CONTROLLERS (of cgroup v1),
# LENT (folders of /etc that it shall see as they are here), FORWARDING (1 where it hands on packets for others, else 0).
set -eu

mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
cd "$ROOT"

# Programs are this machine's, and cannot be changed from inside.
borrow() {
  mount -o bind,ro "$1" "$2"
}
borrow /usr usr
for name in bin sbin lib lib32 lib64 libx32; do
  if [ ! -L "/$name" ] && [ -d "/$name" ]; then
    mkdir -p "$name"
    borrow "/$name" "$name"
  fi
done
for name in $LENT; do
  [ ! -d "/etc/$name" ] || borrow "/etc/$name" "etc/$name"
done
borrow "$CACHE/programs" opt/lab/programs
borrow "$CACHE/images" opt/lab/images
mount --bind "$LOGS" var/log

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
(cd sys/fs/cgroup && mkdir $CONTROLLERS)
for controller in $CONTROLLERS; do
  mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller"
done

mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/net
devices=(etc/lab/dev/*)
for device in null zero full random urandom tty kmsg fuse; do
  [ ! -c "/dev/$device" ] || devices+=("/dev/$device")
done
cp -a "${devices[@]}" dev
[ ! -c /dev/net/tun ] || cp -a /dev/net/tun dev/net/tun
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm

mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/sshd run/lock run/flannel

pivot_root . host
cd /
umount -l /host
rmdir /host
mount --make-rshared / # a kubelet's volumes must reach the containers

hostname "$NODE"
echo "$FORWARDING" > /proc/sys/net/ipv4/ip_forward
echo "$FORWARDING" > /proc/sys/net/ipv6/conf/all/forwarding 2> /dev/null || true
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables 2> /dev/null || true

# A service is run again a second after it ends, unless /run/NAME.stopped is there.
export HOME=/root LANG=C.UTF-8
unset NODE ROOT LOGS CACHE CONTROLLERS LENT FORWARDING LC_ALL OLDPWD
serve() {
  set +e
  while :; do
    [ -e "/run/$1.stopped" ] || bash "/etc/lab/services/$1" >> "/var/log/$1.log" 2>&1
    sleep 1
  done
}
for service in /etc/lab/services/*; do serve "${service##*/}" & done
while :; do
  sleep 1000 &
  wait $! || true
done
