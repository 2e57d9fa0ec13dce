#include "content/yara/engine/scan.h"

#include "base/mem.h"
#include "content/yara/engine/fields.h"
#include "content/yara/engine/ruleset.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yara.h>

enum { FILE_TIMEOUT_S = 5 };     /* facts: ordinary rules need milliseconds; a hostile regular expression needs minutes */

struct scan {
        YR_SCANNER *scanner;
        FILE *to;
        const char *path;        /* of the file under way */
        struct scan_counts counts;
};

static void print_path(FILE *to, const char *path)
{
        for (const unsigned char *at = (const unsigned char *)path; *at; at++)
                fputc(*at < ' ' || *at == 0x7f ? '?' : *at, to);
}

static void report(struct scan *scan, YR_RULE *rule)
{
        struct fields fields = { .form = &fields_plain };
        fields_collect(rule, &fields);
        fprintf(scan->to, "match %s ", rule->identifier);
        print_path(scan->to, scan->path);
        fprintf(scan->to, "\nmeta %s", rule->identifier);
        fields_print(&fields, scan->to);
        fputc('\n', scan->to);
        fflush(scan->to);
        scan->counts.matches++;
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
        (void)context;
        if (message == CALLBACK_MSG_RULE_MATCHING)
                report(user, data);
        return CALLBACK_CONTINUE;
}

enum err scan_open(const struct ruleset *set, FILE *to, struct scan **ret_scan, struct why *why)
{
        OWN(scan) struct scan *scan = mem_new(1, sizeof(*scan));
        if (!scan || yr_scanner_create(set->compiled, &scan->scanner) != ERROR_SUCCESS)
                return FAIL(why, ERR_NOMEM, "a scanner");
        scan->to = to;
        yr_scanner_set_callback(scan->scanner, on_message, scan);
        yr_scanner_set_timeout(scan->scanner, FILE_TIMEOUT_S);
        yr_scanner_set_flags(scan->scanner, SCAN_FLAGS_REPORT_RULES_MATCHING);
        *ret_scan = GIVE(scan);
        return OK;
}

void scan_close(struct scan *scan)
{
        if (!scan)
                return;
        if (scan->scanner)
                yr_scanner_destroy(scan->scanner);
        mem_free(scan);
}

static const char *error_text(int error)
{
        static const struct { int error; const char *text; } known[] = {
                { ERROR_INSUFFICIENT_MEMORY, "no memory left" },
                { ERROR_COULD_NOT_MAP_FILE, "cannot be read" },
                { ERROR_SCAN_TIMEOUT, "took too long" },
                { ERROR_TOO_MANY_MATCHES, "too many matches" },
                { ERROR_TOO_MANY_RE_FIBERS, "a regular expression is too complex" },
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].error == error)
                        return known[i].text;
        return "the scanner gave up";
}

static void fail(struct scan *scan, const char *text)
{
        scan->counts.errors++;
        fputs("error ", stderr);
        print_path(stderr, scan->path);
        fprintf(stderr, ": not scanned: %s\n", text);
}

static void scan_open_file(struct scan *scan, int file)
{
        struct stat info;
        if (fstat(file, &info) || !S_ISREG(info.st_mode)) {
                fail(scan, "not a regular file");
                return;
        }
        int error = yr_scanner_scan_fd(scan->scanner, file);
        if (error != ERROR_SUCCESS) {
                fail(scan, error_text(error));
                return;
        }
        scan->counts.files++;
        scan->counts.bytes += (uint64_t)info.st_size;
}

void scan_one(struct scan *scan, const struct scan_file *file)
{
        scan->path = file->path;
        int follow = file->follows_links ? 0 : O_NOFOLLOW;
        int open_file = openat(file->folder, file->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow);
        if (open_file < 0) {
                fail(scan, strerror(errno));
                return;
        }
        scan_open_file(scan, open_file);
        close(open_file);
}

void scan_skip(struct scan *scan, const char *path, const char *why)
{
        scan->path = path;
        fail(scan, why);
}

const struct scan_counts *scan_counts(const struct scan *scan)
{
        return &scan->counts;
}
