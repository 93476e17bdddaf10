#!/bin/sh
# The first process of the machine: what systemd would have mounted, then the checks, then off. The word
# havre.cgroup=1 or =2 of the kernel's command line says which version of cgroups the machine has.
# Nothing else is prepared: modules have to come when they are needed.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
ip link set lo up

groups=/sys/fs/cgroup
if grep -q havre.cgroup=1 /proc/cmdline; then
  mount -t tmpfs -o mode=755 cgroups $groups
  for controllers in cpuset cpu,cpuacct blkio memory devices freezer net_cls,net_prio perf_event hugetlb pids rdma misc; do
    mkdir $groups/$controllers
    mount -t cgroup -o $controllers cgroup $groups/$controllers || rmdir $groups/$controllers
  done
  for controller in cpu cpuacct; do ln -s cpu,cpuacct $groups/$controller; done
  for controller in net_cls net_prio; do ln -s net_cls,net_prio $groups/$controller; done
  mkdir $groups/systemd
  mount -t cgroup -o none,name=systemd systemd $groups/systemd
  mount -o remount,ro $groups
else
  mount -t cgroup2 cgroup2 $groups
  mkdir $groups/init.scope
  echo 1 >$groups/init.scope/cgroup.procs
  for controller in $(cat $groups/cgroup.controllers); do echo "+$controller" >$groups/cgroup.subtree_control; done
fi

mount -t ext4 -o ro /dev/vdb /payload
cd /payload && HAVRE_TEST_BINARY=/payload/havre ./bun guest.js
echo "machine: ended with $?"
echo o >/proc/sysrq-trigger
sleep 60
