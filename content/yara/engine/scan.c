#include "content/yara/engine/scan.h"

#include "base/mem.h"
#include "content/yara/engine/fields.h"
#include "content/yara/engine/quarantine.h"
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
        bool is_condemned;       /* a rule says that it is to be put away */
        struct quarantine *quarantine;   /* NULL: nothing is */
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

/* The whole rule: beyond what is printed, too. */
static bool condemns(YR_RULE *rule)
{
        YR_META *meta;
        yr_rule_metas_foreach(rule, meta)
                if (meta->type == META_TYPE_STRING && strcmp(meta->identifier, "action") == 0 && strcmp(meta->string, "quarantine") == 0)
                        return true;
        return false;
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
        (void)context;
        if (message == CALLBACK_MSG_RULE_MATCHING) {
                struct scan *scan = user;
                report(scan, data);
                scan->is_condemned |= condemns(data);
        }
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

void scan_quarantine(struct scan *scan, struct quarantine *quarantine)
{
        scan->quarantine = quarantine;
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

static void put_away(struct scan *scan, const struct scan_file *file, const struct stat *info)
{
        struct why why;
        bool is_away = quarantine_take(scan->quarantine, &(struct quarantine_file){ file->folder, file->name, file->path, info }, &why);
        fputs(is_away ? "quarantined " : "left ", scan->to);
        print_path(scan->to, scan->path);
        fprintf(scan->to, "%s%s\n", is_away ? "" : ": ", is_away ? "" : why.text);
        fflush(scan->to);
}

static void scan_open_file(struct scan *scan, int file, struct stat *ret_info)
{
        struct stat info;
        if (fstat(file, &info) || !S_ISREG(info.st_mode)) {
                fail(scan, "not a regular file");
                return;
        }
        *ret_info = info;
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
        struct stat info;
        scan->is_condemned = false;
        scan_open_file(scan, open_file, &info);
        if (scan->is_condemned && scan->quarantine && !quarantine_is(scan->quarantine, file->folder))
                put_away(scan, file, &info);
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
