#include "platform/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Ed25519, malloc, logging to an open file and a link need; the last lines are for an orderly end. */
static const int to_work[] = {
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fstat),
        SCMP_SYS(newfstatat), SCMP_SYS(lseek),
        SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(sigaltstack),
        SCMP_SYS(close), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What is needed besides to answer who connects, and to put a file in the place of another (disk_folder.h). */
static const int to_serve[] = {
        SCMP_SYS(accept4), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(shutdown),
        SCMP_SYS(openat), SCMP_SYS(fsync), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlinkat),
};

/* What becomes of a system call if its arguments are such. */
struct rule {
        uint32_t action;
        int call;
        unsigned count;
        struct scmp_arg_cmp arguments[2];
};

static int add_rules(scmp_filter_ctx filter, const struct rule *rules, size_t count)
{
        int failed = 0;
        for (size_t i = 0; i < count && !failed; i++)
                failed = seccomp_rule_add_array(filter, rules[i].action, rules[i].call, rules[i].count, rules[i].arguments);
        return failed;
}

static int add_calls(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
        int failed = 0;
        for (size_t i = 0; i < count && !failed; i++)
                failed = seccomp_rule_add(filter, action, calls[i], 0);
        return failed;
}

static int allow_work(scmp_filter_ctx filter)
{
        const struct rule rules[] = {
                { SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, { SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0) } },   /* to itself */
                { SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, { SCMP_A4(SCMP_CMP_EQ, 0, 0) } },                      /* to nobody but who is at the other end */
        };
        int failed = add_calls(filter, SCMP_ACT_ALLOW, to_work, sizeof(to_work) / sizeof(to_work[0]));
        return failed ? failed : add_rules(filter, rules, sizeof(rules) / sizeof(rules[0]));
}

/* A listening socket that is shut down could be led out again without connect(): that is what TCP's fast open does, of which landlock
 * does not know. */
static int allow_service(scmp_filter_ctx filter)
{
        const struct rule rules[] = {
                { SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0) } },
                { SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, { SCMP_A1_32(SCMP_CMP_EQ, IPPROTO_TCP, 0), SCMP_A2_32(SCMP_CMP_EQ, TCP_NODELAY, 0) } },
                { SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, { SCMP_A1_32(SCMP_CMP_EQ, IPPROTO_TCP, 0), SCMP_A2_32(SCMP_CMP_EQ, TCP_CORK, 0) } },
                { SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, { SCMP_A1_32(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0) } },
        };
        int failed = allow_work(filter);
        if (!failed)
                failed = add_calls(filter, SCMP_ACT_ALLOW, to_serve, sizeof(to_serve) / sizeof(to_serve[0]));
        return failed ? failed : add_rules(filter, rules, sizeof(rules) / sizeof(rules[0]));
}

/* What is needed besides to look at a file or a folder. */
static int allow_reading(scmp_filter_ctx filter)
{
        static const int to_look[] = { SCMP_SYS(getdents64), SCMP_SYS(statx), SCMP_SYS(fstatfs) };
        const struct rule to_open = { SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY) } };
        int failed = allow_work(filter);
        if (!failed)
                failed = add_calls(filter, SCMP_ACT_ALLOW, to_look, sizeof(to_look) / sizeof(to_look[0]));
        return failed ? failed : add_rules(filter, &to_open, 1);
}

/* 0, or an error number. `otherwise`: what becomes of the calls of which `add` says nothing. */
static int limit_calls(uint32_t otherwise, int (*add)(scmp_filter_ctx filter))
{
        scmp_filter_ctx filter = seccomp_init(otherwise);
        int failed = filter ? add(filter) : -ENOMEM;
        if (!failed)
                failed = seccomp_load(filter);
        seccomp_release(filter);
        return -failed;
}

static int limit_to_work(void)
{
        return limit_calls(SCMP_ACT_ERRNO(EPERM), allow_work);
}

static int limit_to_reading(void)
{
        return limit_calls(SCMP_ACT_ERRNO(EPERM), allow_reading);
}

static int limit_to_service(void)
{
        return limit_calls(SCMP_ACT_ERRNO(EPERM), allow_service);
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

static bool has_capabilities(void)
{
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
        bool is_known = syscall(SYS_capget, &header, now) == 0;
        return !is_known || now[0].effective || now[0].permitted || now[1].effective || now[1].permitted;
}

/* `keep`: bits of those below 32 that stay, if they are there. */
static bool drop_capabilities(uint32_t keep)
{
        struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
        (void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);   /* root needs it; others have nothing to lose */
        if (keep && syscall(SYS_capget, &header, left) == 0)
                keep &= left[0].permitted;
        left[0] = (struct __user_cap_data_struct){ .effective = keep, .permitted = keep, .inheritable = 0 };
        left[1] = (struct __user_cap_data_struct){ 0, 0, 0 };
        return syscall(SYS_capset, &header, left) == 0;
}

/* 0, or an error number. What is gone already need not be given up: a service manager may have taken it, and the call with it. */
static int give_up_privileges(uint32_t keep, struct confined *ret_confined)
{
        int failed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? errno : 0;
        if (!drop_capabilities(keep) && has_capabilities())
                failed = EPERM;
        if (ret_confined)
                *ret_confined = (struct confined){ .user = geteuid(), .has_capabilities = has_capabilities() };
        return failed;
}

static enum err judge_privileges(int failed, struct why *why)
{
        return failed ? FAIL(why, ERR_UNAVAILABLE, "giving up privileges: %s", strerror(failed)) : OK;
}


enum { TO_READ = LANDLOCK_ACCESS_FS_READ_FILE, TO_LIST = LANDLOCK_ACCESS_FS_READ_DIR };

/* What landlock's first version knows: the kernel refuses what it has not heard of. */
enum {
        EVERYTHING = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | TO_READ | TO_LIST | LANDLOCK_ACCESS_FS_REMOVE_DIR
                     | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG
                     | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

/* Later versions', by number: the headers that we are built with may be older than the kernel. */
enum { KNOWS_TRUNCATE = 3, KNOWS_PORTS = 4, KNOWS_SCOPES = 6, TO_TRUNCATE = 1 << 14, TO_BIND = 1 << 0, TO_CONNECT = 1 << 1, SCOPE_SIGNALS = 1 << 1 };

struct landlock_rules { __u64 files, ports, scopes; };

static struct landlock_rules rules_known(void)
{
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        return (struct landlock_rules){ .files = EVERYTHING | (version >= KNOWS_TRUNCATE ? TO_TRUNCATE : 0),
                                        .ports = version >= KNOWS_PORTS ? TO_BIND | TO_CONNECT : 0,
                                        .scopes = version >= KNOWS_SCOPES ? SCOPE_SIGNALS : 0 };
}

static uint8_t version_known(void)
{
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        return (uint8_t)(version < 0 ? 0 : version < KNOWS_SCOPES ? version : KNOWS_SCOPES);
}

static int rules_open(const struct landlock_rules *refused)
{
        return (int)syscall(SYS_landlock_create_ruleset, refused, sizeof(*refused), 0);
}

/* 0, or an error number: errno, where they are not all there. */
static int rules_enforce(int take_rules, bool are_all_there)
{
        int failed = are_all_there && syscall(SYS_landlock_restrict_self, take_rules, 0) == 0 ? 0 : errno;
        if (take_rules >= 0)
                close(take_rules);
        return failed;
}

/* Error numbers, 0 where it is in force: each is worth having without the other. */
struct outcome { int privileges, files, calls; uint8_t version; };

/* Landlock first: the filter refuses its calls. */
static struct outcome enforce(int privileges, int take_rules, bool are_all_there, int (*limit)(void))
{
        struct outcome outcome = { .privileges = privileges, .version = version_known(), .files = rules_enforce(take_rules, are_all_there) };
        outcome.calls = limit();
        return outcome;
}

static enum err judge(const struct outcome *outcome, struct confined *ret_confined, struct why *why)
{
        if (ret_confined) {
                ret_confined->has_filter = !outcome->calls;
                ret_confined->landlock = outcome->files ? 0 : outcome->version;
        }
        if (outcome->privileges)
                return judge_privileges(outcome->privileges, why);
        if (outcome->calls)
                return FAIL(why, ERR_UNAVAILABLE, "limiting system calls: %s", strerror(outcome->calls));
        return outcome->files ? FAIL(why, ERR_UNAVAILABLE, "limiting what can be opened: %s", strerror(outcome->files)) : OK;
}

enum err confine_to_open_files(struct confined *ret_confined, struct why *why)
{
        (void)unshare(CLONE_NEWNET);           /* where we may; the filter below says the same */
        const int privileges = give_up_privileges(0, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        const struct landlock_rules refused = rules_known();
        const struct outcome outcome = enforce(privileges, rules_open(&refused), true, limit_to_work);
        /* Whether there is landlock or not: the filter lets nothing be opened. */
        enum err e = judge(&outcome, ret_confined, why);
        return outcome.privileges || outcome.calls ? e : OK;
}

/* What landlock does not look at, and what the owner of a file may do to it, or a process to others of its user: give it to
 * others, empty it, kill it. Nothing of that is needed to fetch. */
static const int beside_landlock[] = {
        SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
        SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr),
        SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(utimensat),
        SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
        SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(setpriority), SCMP_SYS(sched_setscheduler),
        SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd), SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open), SCMP_SYS(open_by_handle_at), SCMP_SYS(mount), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
};

static const int to_run[] = { SCMP_SYS(execve), SCMP_SYS(execveat) };

static int refuse_beside(scmp_filter_ctx filter)
{
        const uint32_t refuse = SCMP_ACT_ERRNO(EPERM), unknown = SCMP_ACT_ERRNO(ENOSYS);
        const struct rule rules[] = {
                /* Where landlock knows no truncation, opening can be one. Libraries that read a file do not ask for that. */
                { refuse, SCMP_SYS(open), 1, { SCMP_A1(SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC) } },
                { refuse, SCMP_SYS(openat), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC) } },
                { .action = refuse, .call = SCMP_SYS(creat) },
                { .action = unknown, .call = SCMP_SYS(openat2) },                /* its flags are out of a filter's sight */
                { refuse, SCMP_SYS(prlimit64), 1, { SCMP_A0(SCMP_CMP_NE, 0, 0) } },
                { refuse, SCMP_SYS(tgkill), 1, { SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0) } },
        };
        int failed = add_calls(filter, refuse, beside_landlock, sizeof(beside_landlock) / sizeof(beside_landlock[0]));
        return failed ? failed : add_rules(filter, rules, sizeof(rules) / sizeof(rules[0]));
}

static int refuse_others(scmp_filter_ctx filter)
{
        int failed = refuse_beside(filter);
        return failed ? failed : add_calls(filter, SCMP_ACT_ERRNO(EPERM), to_run, sizeof(to_run) / sizeof(to_run[0]));
}

static int refuse_network(scmp_filter_ctx filter)
{
        const struct rule other_families = { SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, { SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0) } };
        int failed = refuse_beside(filter);
        return failed ? failed : add_rules(filter, &other_families, 1);
}

static int limit_beside_network(void)
{
        return limit_calls(SCMP_ACT_ALLOW, refuse_others);
}

static int limit_to_programs(void)
{
        return limit_calls(SCMP_ACT_ALLOW, refuse_network);
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
        bool done = !spool || allow(rules, spool, ours, O_DIRECTORY | O_NOFOLLOW);
        for (size_t i = 0; i < sizeof(for_network) / sizeof(for_network[0]); i++)
                done &= allow(rules, for_network[i], TO_READ | TO_LIST, 0);
        return done && (!readable || allow(rules, readable, TO_READ | TO_LIST, 0));
}

enum err confine_to_network(const char *spool, const char *readable, struct confined *ret_confined, struct why *why)
{
        const int privileges = give_up_privileges(0, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        struct landlock_rules refused = rules_known();
        refused.ports = 0;
        int rules = rules_open(&refused);
        const struct outcome outcome = enforce(privileges, rules, rules >= 0 && add_paths(rules, spool, readable, refused.files), limit_beside_network);
        return judge(&outcome, ret_confined, why);
}

enum err confine_to_folder(const char *folder, struct confined *ret_confined, struct why *why)
{
        const int privileges = give_up_privileges(0, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        const struct landlock_rules refused = rules_known();
        const __u64 to_replace = TO_READ | TO_LIST | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
        int rules = rules_open(&refused);
        const struct outcome outcome = enforce(privileges, rules, rules >= 0 && allow(rules, folder, to_replace, O_DIRECTORY), limit_to_service);
        return judge(&outcome, ret_confined, why);
}

void confined_text(const struct confined *confined, char text[CONFINED_TEXT_MAX])
{
        char user[24] = "root", landlock[24] = "no landlock";
        if (confined->user)
                snprintf(user, sizeof(user), "user %" PRIu32, confined->user);
        if (confined->landlock)
                snprintf(landlock, sizeof(landlock), "landlock %u", confined->landlock);
        snprintf(text, CONFINED_TEXT_MAX, "%s, %s, %s%s", user, landlock, confined->has_filter ? "system calls limited" : "any system call",
                 confined->has_capabilities ? ", with capabilities" : "");
}

enum err confine_to_reading(struct confined *ret_confined, struct why *why)
{
        (void)unshare(CLONE_NEWNET);
        const int privileges = give_up_privileges(1u << CAP_DAC_READ_SEARCH, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        struct landlock_rules refused = rules_known();
        int rules = rules_open(&refused);
        const struct outcome outcome = enforce(privileges, rules, rules >= 0 && allow(rules, "/", TO_READ | TO_LIST, O_DIRECTORY), limit_to_reading);
        enum err e = judge(&outcome, ret_confined, why);
        return outcome.privileges || outcome.calls ? e : OK;
}

enum err confine_to_programs(struct confined *ret_confined, struct why *why)
{
        const int privileges = give_up_privileges(0, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        const struct landlock_rules refused = rules_known();
        int rules = rules_open(&refused);
        bool are_all_there = rules >= 0 && allow(rules, "/", TO_READ | TO_LIST | LANDLOCK_ACCESS_FS_EXECUTE, O_DIRECTORY)
                             && allow(rules, "/dev/null", TO_READ | LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
        const struct outcome outcome = enforce(privileges, rules, are_all_there, limit_to_programs);
        return judge(&outcome, ret_confined, why);
}

static int refuse_to_reach_out(scmp_filter_ctx filter)
{
        static const int calls[] = { SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen) };
        int failed = refuse_others(filter);
        return failed ? failed : add_calls(filter, SCMP_ACT_ERRNO(EPERM), calls, sizeof(calls) / sizeof(calls[0]));
}

static int limit_to_answering(void)
{
        return limit_calls(SCMP_ACT_ALLOW, refuse_to_reach_out);
}

enum err confine_to_answering(const char *folder, struct confined *ret_confined, struct why *why)
{
        const int privileges = give_up_privileges(1u << CAP_DAC_READ_SEARCH, ret_confined);
        if (IS_WATCHED)
                return judge_privileges(privileges, why);
        const struct landlock_rules refused = rules_known();
        const __u64 to_read = TO_READ | TO_LIST, to_replace = to_read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
        int rules = rules_open(&refused);
        bool are_all_there = rules >= 0 && allow(rules, "/", to_read, O_DIRECTORY) && allow(rules, folder, to_replace, O_DIRECTORY);
        const struct outcome outcome = enforce(privileges, rules, are_all_there, limit_to_answering);
        return judge(&outcome, ret_confined, why);
}
