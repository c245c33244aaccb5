#!/v2/busybox sh
# First program of the guest: loads modules, mounts the host's root with a layer on a disk of its own over it, and goes on inside.
# Nothing written in the guest reaches the host's files: virtiofs is mounted read-only.
/v2/busybox --install -s /bin
export PATH=/bin
set -e
mkdir -p /proc /sys /host /disk /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
  insmod "/v2/modules/$module"
done < /v2/order
mount -t virtiofs -o ro host /host
mount -t ext4 -o noatime /dev/vda /disk
mkdir /disk/upper /disk/work
mount -t overlay -o lowerdir=/host,upperdir=/disk/upper,workdir=/disk/work overlay /root
mount -t proc proc /root/proc
mount -t sysfs sysfs /root/sys
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mount -t devtmpfs devtmpfs /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
for place in dev/shm run; do
  mkdir -p "/root/$place"
  mount -t tmpfs -o mode=1777 tmpfs "/root/$place"
done
# On the disk itself: an overlay is no place for the layers of another, and older kernels' tmpfs keeps no attributes.
for place in tmp var/tmp var/lib; do
  mkdir -p "/disk/$place" "/root/$place"
  chmod 1777 "/disk/$place"
  mount --bind "/disk/$place" "/root/$place"
done
# A project below one of these places has just been covered.
read -r home < /v2/home
if [ ! -e "/root$home" ]; then
  mkdir -p "/root$home"
  mount --bind "/host$home" "/root$home"
fi
mkdir /root/run/v2
cp /v2/busybox /v2/guest-run.sh /v2/home /v2/node /v2/tests /root/run/v2/
umount /proc /sys /dev
exec switch_root /root /run/v2/busybox sh /run/v2/guest-run.sh
