#include "platform/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Ed25519, malloc, logging to an open file and a link need; the last lines are for an orderly end. */
static const int allowed[] = {
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fstat),
        SCMP_SYS(newfstatat), SCMP_SYS(lseek),
        SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(sigaltstack),
        SCMP_SYS(close), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int fill(scmp_filter_ctx filter)
{
        int failed = 0;
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !failed; i++)
                failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        return failed ? failed : seccomp_load(filter);
}

/* A program built to find its own faults (ASan) looks around at its end, for which it needs more. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_WATCHED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif
#else
enum { IS_WATCHED = 0 };
#endif

enum err confine_to_open_files(struct why *why)
{
        (void)unshare(CLONE_NEWNET);           /* where we may; the filter below says the same */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
                return FAIL(why, ERR_UNAVAILABLE, "giving up privileges: %s", strerror(errno));
        if (IS_WATCHED)
                return OK;
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int failed = filter ? fill(filter) : -ENOMEM;
        seccomp_release(filter);
        return failed ? FAIL(why, ERR_UNAVAILABLE, "limiting system calls: %s", strerror(-failed)) : OK;
}

enum { TO_READ = LANDLOCK_ACCESS_FS_READ_FILE, TO_LIST = LANDLOCK_ACCESS_FS_READ_DIR };

/* What landlock's first version knows: the kernel refuses what it has not heard of. */
enum {
        EVERYTHING = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | TO_READ | TO_LIST | LANDLOCK_ACCESS_FS_REMOVE_DIR
                     | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG
                     | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

/* Later versions', by number: the headers that we are built with may be older than the kernel. */
enum { KNOWS_TRUNCATE = 3, KNOWS_SCOPES = 6, TO_TRUNCATE = 1 << 14, SCOPE_SIGNALS = 1 << 1 };

struct landlock_rules { __u64 files, ports, scopes; };

static struct landlock_rules rules_known(void)
{
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        return (struct landlock_rules){ .files = EVERYTHING | (version >= KNOWS_TRUNCATE ? TO_TRUNCATE : 0),
                                        .scopes = version >= KNOWS_SCOPES ? SCOPE_SIGNALS : 0 };
}

/* What landlock does not look at, and what the owner of a file may do to it, or a process to others of its user: give it to
 * others, empty it, kill it. Nothing of that is needed to fetch. */
static const int beside_landlock[] = {
        SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
        SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr),
        SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(utimensat),
        SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
        SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(setpriority), SCMP_SYS(sched_setscheduler),
        SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd), SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open), SCMP_SYS(open_by_handle_at), SCMP_SYS(mount), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
};

static bool refuse_others(scmp_filter_ctx filter)
{
        int refuse = SCMP_ACT_ERRNO(EPERM), failed = 0;
        for (size_t i = 0; i < sizeof(beside_landlock) / sizeof(beside_landlock[0]); i++)
                failed |= seccomp_rule_add(filter, refuse, beside_landlock[i], 0);
        /* Where landlock knows no truncation, opening can be one. Libraries that read a file do not ask for that. */
        failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC));
        failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC));
        failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(creat), 0);
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);        /* its flags are out of a filter's sight */
        failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0, 0));
        failed |= seccomp_rule_add(filter, refuse, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
        return failed == 0 && seccomp_load(filter) == 0;
}

static bool leave_others_alone(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool done = filter && refuse_others(filter);
        seccomp_release(filter);
        return done;
}

/* Names, certificates, and the libraries that the C library loads for them. */
static const char *const for_network[] = {
        "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/localtime", "/etc/ssl", "/etc/pki",
        "/etc/ca-certificates", "/etc/ld.so.cache", "/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/usr", "/lib", "/lib64",
        "/dev/null", "/dev/urandom", "/dev/random",
};

/* What is absent needs no rule. `how`: more flags of open(). */
static bool allow(int rules, const char *path, __u64 access, int how)
{
        struct stat info;
        struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = open(path, O_PATH | O_CLOEXEC | how) };
        if (beneath.parent_fd < 0)
                return true;
        if (fstat(beneath.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
                beneath.allowed_access &= ~(__u64)(TO_LIST | LANDLOCK_ACCESS_FS_MAKE_REG);
        bool done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
        close(beneath.parent_fd);
        return done;
}

static bool add_paths(int rules, const char *spool, const char *readable, __u64 known)
{
        /* Where a link stands for the spool, it is as if it were absent: nothing may be written. */
        __u64 ours = TO_READ | TO_LIST | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | (known & TO_TRUNCATE);
        bool done = allow(rules, spool, ours, O_DIRECTORY | O_NOFOLLOW);
        for (size_t i = 0; i < sizeof(for_network) / sizeof(for_network[0]); i++)
                done &= allow(rules, for_network[i], TO_READ | TO_LIST, 0);
        return done && (!readable || allow(rules, readable, TO_READ | TO_LIST, 0));
}

static bool drop_capabilities(void)
{
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
        (void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);   /* root needs it; others have nothing to lose */
        return syscall(SYS_capset, &header, none) == 0;
}

enum err confine_to_network(const char *spool, const char *readable, struct why *why)
{
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || !drop_capabilities())
                return FAIL(why, ERR_UNAVAILABLE, "giving up privileges: %s", strerror(errno));
        if (IS_WATCHED)
                return OK;
        const struct landlock_rules known = rules_known();
        int rules = (int)syscall(SYS_landlock_create_ruleset, &known, sizeof(known), 0);
        bool done = rules >= 0 && add_paths(rules, spool, readable, known.files) && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
        int failed = errno;
        if (rules >= 0)
                close(rules);
        /* Each is worth having without the other. */
        if (!leave_others_alone())
                return FAIL(why, ERR_UNAVAILABLE, "limiting system calls");
        return done ? OK : FAIL(why, ERR_UNAVAILABLE, "limiting what can be opened: %s", strerror(failed));
}
