#include "lab/legit.h"

/* On any Linux. */
static const char *const patterns[] = {
        "/boot/vmlinuz*", "/boot/vmlinux*", "/vmlinuz", "/sbin/init", "/lib/systemd/systemd", "/lib/systemd/systemd-*", "/sbin/openrc*", "/sbin/udevd",
        "/lib*/ld-linux*.so.*", "/lib/ld-musl*", "/lib/*/ld-linux*.so.*", "/lib/*/libc.so.*", "/lib*/libc.so.*", "/lib/*/libpthread.so.*", "/lib/*/libm.so.*", "/lib/*/libcrypt.so.*",
        "/lib/*/libpam.so.*", "/usr/lib/*/libcrypto.so.*", "/usr/lib/*/libssl.so.*", "/lib/*/libz.so.*",
        "/bin/sh", "/bin/bash", "/bin/dash", "/bin/busybox",
        "/bin/ls", "/bin/cat", "/bin/cp", "/bin/mv", "/bin/rm", "/bin/ln", "/bin/mkdir", "/bin/chmod", "/bin/chown", "/bin/df", "/bin/sync", "/bin/mount", "/bin/umount",
        "/bin/ps", "/bin/kill", "/bin/login", "/bin/su", "/usr/bin/sudo", "/usr/bin/passwd", "/usr/bin/env", "/usr/bin/id", "/usr/bin/test", "/usr/bin/tar", "/usr/bin/gzip",
        "/usr/bin/grep", "/usr/bin/sed", "/usr/bin/find", "/usr/bin/awk", "/usr/bin/systemctl", "/usr/bin/journalctl",
        "/sbin/agetty", "/sbin/fsck*", "/sbin/mkfs*", "/sbin/e2fsck", "/sbin/modprobe", "/sbin/insmod", "/sbin/ip", "/sbin/dhclient", "/sbin/ifup", "/sbin/reboot", "/sbin/shutdown",
        "/sbin/grub-*", "/usr/sbin/grub-*", "/usr/sbin/update-initramfs", "/usr/sbin/NetworkManager",
        "/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/scp", "/usr/bin/sftp", "/usr/lib/openssh/*",
        "/usr/bin/dpkg*", "/usr/bin/apt*", "/usr/lib/apt/methods/*", "/usr/bin/rpm", "/usr/bin/dnf*", "/sbin/apk", "/usr/bin/pacman", "/usr/bin/zypper",
        NULL,
};

static const char *const packages[] = {
        "apt", "bash", "coreutils", "dash", "dpkg", "e2fsprogs", "findutils", "grep", "grub-common", "grub2-common", "gzip", "ifupdown", "init", "init-system-helpers",
        "initramfs-tools-core", "iproute2", "kmod", "libapt-pkg6.0", "libblkid1", "libc-bin", "libc6", "libcrypt1", "libgcc-s1", "liblzma5", "libmount1", "libpam-modules",
        "libpam0g", "libselinux1", "libssl3", "libstdc++6", "libsystemd0", "libtinfo6", "libudev1", "libzstd1", "login", "login.defs", "mount", "openssh-client", "openssh-server", "passwd",
        "perl-base", "procps", "sed", "sudo", "systemd", "systemd-sysv", "sysvinit-utils", "tar", "udev", "util-linux", "zlib1g",
        NULL,
};

const struct legit_lists legit_boot_critical = { patterns, packages, "/var/lib/dpkg/info" };
