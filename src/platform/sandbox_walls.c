#include "platform/sandbox_walls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

static bool write_text(const char *path, const char *text)
{
        int file = open(path, O_WRONLY | O_CLOEXEC);
        size_t length = strlen(text);
        bool done = file >= 0 && write(file, text, length) == (ssize_t)length;
        if (file >= 0)
                close(file);
        return done;
}

/* A user who is not root may do the same in a name space of his own, where he keeps his number. */
static bool be_own_root(int spaces)
{
        char line[64];
        unsigned uid = geteuid(), gid = getegid();
        if (unshare(CLONE_NEWUSER | spaces))
                return false;
        snprintf(line, sizeof(line), "%u %u 1", uid, uid);
        bool done = write_text("/proc/self/uid_map", line) && write_text("/proc/self/setgroups", "deny");
        snprintf(line, sizeof(line), "%u %u 1", gid, gid);
        return write_text("/proc/self/gid_map", line) && done;
}

unsigned walls_name_spaces(void)
{
        int spaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
        return unshare(spaces) == 0 || be_own_root(spaces) ? SANDBOX_OFFLINE | SANDBOX_PROCESSES : 0;
}

/* A device can be written to on a read-only file system; so there are none but these. */
static bool few_devices(void)
{
        static const char *const names[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };
        enum { COUNT = sizeof(names) / sizeof(names[0]) };
        int files[COUNT];
        for (int i = 0; i < COUNT; i++)
                files[i] = open(names[i], O_PATH | O_CLOEXEC);
        bool done = mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") == 0;
        for (int i = 0; i < COUNT; i++) {
                char path[64];
                snprintf(path, sizeof(path), "/proc/self/fd/%d", files[i]);
                int made = done && files[i] >= 0 ? open(names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0444) : -1;
                if (made >= 0)
                        done &= close(made) == 0 && mount(path, names[i], NULL, MS_BIND, NULL) == 0;
                if (files[i] >= 0)
                        close(files[i]);
        }
        return done;
}

static bool room_in_memory(uint64_t bytes)
{
        char options[64];
        snprintf(options, sizeof(options), "mode=1777,size=%llu", (unsigned long long)bytes);
        return mkdir("/dev/shm", 0755) == 0 && mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0;
}

static bool set_readonly(const char *path, bool is_readonly, unsigned flags)
{
        struct mount_attr attributes = { .attr_set = (is_readonly ? MOUNT_ATTR_RDONLY : 0) | MOUNT_ATTR_NOSUID,
                                         .attr_clr = is_readonly ? 0 : MOUNT_ATTR_RDONLY };
        return mount_setattr(AT_FDCWD, path, flags, &attributes, sizeof(attributes)) == 0;
}

bool walls_readonly(const char *scratch, uint64_t temporary_bytes)
{
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
                return false;
        if (scratch && mount(scratch, scratch, NULL, MS_BIND, NULL))
                return false;
        if (!few_devices() || mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
                return false;
        /* Room that is not to be had is no wall that is missing. */
        bool has_room = temporary_bytes && room_in_memory(temporary_bytes);
        return set_readonly("/", true, AT_RECURSIVE) && (!scratch || set_readonly(scratch, false, 0)) && (!has_room || set_readonly("/dev/shm", false, 0));
}

bool walls_capabilities(const struct sandbox_limits *limits)
{
        const uint32_t left = limits->may_set_up_network ? CAP_TO_MASK(CAP_NET_ADMIN) : 0;
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct few[_LINUX_CAPABILITY_U32S_3] = { { left, left, left } };
        bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
        for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
                if (!left || capability != CAP_NET_ADMIN)
                        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        (void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);   /* root needs these two; */
        done &= syscall(SYS_capset, &header, few) == 0;                                  /* others have none to lose */
        return done && (!left || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0);
}

static bool limit(int resource, uint64_t soft, uint64_t hard)
{
        struct rlimit wanted = { soft, hard };
        return soft == 0 || setrlimit((__rlimit_resource_t)resource, &wanted) == 0;
}

/* A sanitizer reserves terabytes of addresses and uses few of them. */
static uint64_t address_limit(uint64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
        return bytes * 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
        return bytes * 0;
#endif
#endif
        return bytes;
}

bool walls_limits(const struct sandbox_limits *limits)
{
        struct rlimit none = { 0, 0 };
        uint64_t memory = address_limit(limits->memory_bytes);
        return limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 1) && limit(RLIMIT_AS, memory, memory) &&
               limit(RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes) && limit(RLIMIT_NOFILE, limits->files, limits->files) &&
               setrlimit(RLIMIT_CORE, &none) == 0;
}

/* What no engine needs and what has let programs out of sandboxes. */
static const int refused[] = {
        SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
        SCMP_SYS(mount_setattr), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
        SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
        SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime),
        SCMP_SYS(open_by_handle_at), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(sethostname), SCMP_SYS(setdomainname),
};

static bool add_rules(scmp_filter_ctx filter, const struct sandbox_limits *limits)
{
        int refuse = SCMP_ACT_ERRNO(EPERM), failed = 0;
        /* Of any kind: a local one would reach the services of the machine. */
        if (limits->may_set_up_network)
                failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_NETLINK, 0));
        else
                failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 0);
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
                failed |= seccomp_rule_add(filter, refuse, refused[i], 0);
        /* Its flags are out of a filter's sight; without it, the C library falls back to clone. */
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        if (!limits->may_start_processes) {
                failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(fork), 0);
                failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(vfork), 0);
                failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
        }
        return failed == 0;
}

bool walls_seccomp(const struct sandbox_limits *limits)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool done = filter && add_rules(filter, limits) && seccomp_load(filter) == 0;
        if (filter)
                seccomp_release(filter);
        return done;
}
