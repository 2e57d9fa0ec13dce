#include "nft/rules.h"

#include "nft/program.h"
#include "platform/child.h"

#include <string.h>

enum {
        NFT_MS = 20000,                  /* a million addresses take seven seconds */
        MAKE_MS = 20000,
        SAID_BYTES = 1 << 16, NAME_BYTES = 48,
        NAMES_BYTES = 4 << 20,           /* of all tables of the machine: a host of containers has a thousand */
};

/* It stands beside what is loaded on trial, and has to be there afterwards. */
static const char witness_table[] = "inet firebreak_witness";

static bool is_family(const char *text, size_t length)
{
        static const char *const known[] = { "inet", "ip", "ip6", "arp", "bridge" };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strlen(known[i]) == length && memcmp(known[i], text, length) == 0)
                        return true;
        return false;
}

static bool is_name(const char *text)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
        const size_t length = strlen(text), letters = 52;
        return length && length <= NAME_BYTES && memchr(allowed, text[0], letters) && strspn(text, allowed) == length;
}

enum err rules_own(struct rules_owned *owned, const char *table, struct why *why)
{
        size_t family = strcspn(table, " ");
        if (!is_family(table, family) || !table[family] || !is_name(table + family + 1) || strcmp(table, witness_table) == 0)
                return FAIL(why, ERR_USAGE, "`%.80s` is no table: give a family (inet, ip, ip6, arp, bridge) and a name, as \"inet acme\"", table);
        if (owned->count == RULES_OWNED_MAX)
                return FAIL(why, ERR_USAGE, "more than %d tables", RULES_OWNED_MAX);
        for (size_t i = 0; i < owned->count; i++)
                if (strcmp(owned->tables[i], table) == 0)
                        return FAIL(why, ERR_USAGE, "table %s is there twice", table);
        snprintf(owned->tables[owned->count++], RULES_TABLE_BYTES, "%s", table);
        return OK;
}

void rules_script(const struct rules_owned *owned, const struct buf *text, struct buf *script)
{
        /* Made first, so that taking it away cannot fail: nft has no word for "if it is there". */
        for (size_t i = 0; i < owned->count; i++)
                buf_addf(script, "table %s\ndelete table %s\n", owned->tables[i], owned->tables[i]);
        buf_add(script, buf_text(text), text->length);
}

/* Two things are listed: what a file makes, without what would differ each time (what counters have counted, how long elements have still to
 * live); and what stands, with it. */
enum listed { LISTED_MADE, LISTED_STANDING };

/* argv of `nft list table FAMILY NAME` wants the two as words of their own. */
static enum err list_table(const char *table, enum listed listed, struct buf *text, struct why *why)
{
        char family[RULES_TABLE_BYTES];
        size_t length = strcspn(table, " ");
        snprintf(family, sizeof(family), "%.*s", (int)length, table);
        const char *const argv[] = { "nft", "list", "table", family, table + length + 1, NULL }, *const made[] = { "nft", "--stateless", "list", "table", family, table + length + 1, NULL };
        return program_run(listed == LISTED_MADE ? made : argv, NFT_MS, text, why);
}

static enum err list_names(struct buf *names, struct why *why)
{
        const char *const argv[] = { "nft", "list", "tables", NULL };
        return program_run(argv, NFT_MS, names, why);
}

/* Is "table inet acme" a line of it? */
static bool has_line(const char *names, const char *table)
{
        const size_t length = strlen(table);
        for (const char *line = names; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (strncmp(line, "table ", 6) == 0 && strncmp(line + 6, table, length) == 0 && (line[6 + length] == '\n' || !line[6 + length]))
                        return true;
        return false;
}

static size_t count_lines(const char *text)
{
        size_t count = 0;
        for (const char *at = text; (at = strchr(at, '\n')); at++)
                count++;
        return count;
}

enum err rules_standing(const struct rules_owned *owned, struct buf *text, struct why *why)
{
        OWN(buf) struct buf names;
        buf_init(&names, NAMES_BYTES);
        enum err e = list_names(&names, why);
        for (size_t i = 0; !e && i < owned->count; i++)
                if (has_line(buf_text(&names), owned->tables[i]))
                        e = list_table(owned->tables[i], LISTED_STANDING, text, why);
        return e ? DURING(why, e, "what stands") : OK;
}

enum err rules_all(struct buf *text, struct why *why)
{
        const char *const argv[] = { "nft", "list", "ruleset", NULL };
        return program_run(argv, NFT_MS, text, why);
}

static enum err run_nft(const char *const *argv, int64_t timeout_ms, struct why *why)
{
        OWN(buf) struct buf said;
        buf_init(&said, SAID_BYTES);
        enum err e = program_run(argv, timeout_ms, &said, why);
        return e == ERR_LIMIT ? OK : e;          /* it ended well, and said more than we want to know */
}

enum err rules_apply(const char *path, int64_t timeout_ms, struct why *why)
{
        return run_nft((const char *const[]){ "nft", "-f", path, NULL }, timeout_ms, why);
}

enum err rules_check(const char *path, struct why *why)
{
        return run_nft((const char *const[]){ "nft", "-c", "-f", path, NULL }, NFT_MS, why);
}

/* Ours, each with a chain, and nothing else but the witness. */
static enum err judge(const struct rules_owned *owned, struct buf *text, struct why *why)
{
        OWN(buf) struct buf names;
        buf_init(&names, SAID_BYTES);
        enum err e = list_names(&names, why);
        if (e)
                return e;
        if (!has_line(buf_text(&names), witness_table))
                return FAIL(why, ERR_CONTENT, "it takes away tables that are not its own (flush ruleset?)");
        for (size_t i = 0; i < owned->count; i++) {
                size_t before = text->length;
                if (!has_line(buf_text(&names), owned->tables[i]))
                        return FAIL(why, ERR_CONTENT, "it does not define table %s", owned->tables[i]);
                e = list_table(owned->tables[i], LISTED_MADE, text, why);
                if (e)
                        return e;
                if (!strstr(buf_text(text) + before, "\tchain "))
                        return FAIL(why, ERR_CONTENT, "its table %s has no chain", owned->tables[i]);
        }
        return count_lines(buf_text(&names)) == owned->count + 1 ? OK : FAIL(why, ERR_CONTENT, "it defines tables that are not its own: only --owns are replaced");
}

/* Within the walls of a preflight it has one already, and could not make another. But a machine that has no device yet looks alike; then there are its
 * tables. */
static enum err leave_network(struct why *why)
{
        OWN(buf) struct buf names;
        struct why unlisted;
        buf_init(&names, NAMES_BYTES);
        enum err e = child_leave_network(why);
        return e && child_is_alone() && list_names(&names, &unlisted) == OK && !names.length ? OK : e;
}

enum err rules_make(const struct rules_owned *owned, const char *path, struct buf *text, struct why *why)
{
        enum err e = leave_network(why);
        if (!e)
                e = run_nft((const char *const[]){ "nft", "add", "table", "inet", strchr(witness_table, ' ') + 1, NULL }, NFT_MS, why);
        if (e)
                return DURING(why, ERR_UNAVAILABLE, "nft does not work in an empty network (is nf_tables in this kernel?)");
        e = run_nft((const char *const[]){ "nft", "-c", "-f", path, NULL }, MAKE_MS, why);
        if (!e)
                e = run_nft((const char *const[]){ "nft", "-f", path, NULL }, MAKE_MS, why);
        return e ? e : judge(owned, text, why);
}
