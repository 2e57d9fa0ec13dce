#include "cli/ceremony_file.h"

#include "base/mem.h"
#include "ceremony/addition.h"
#include "cli/facts.h"
#include "cli/print.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/file.h"
#include "platform/file_new.h"
#include "trust/release_custom.h"

#include <string.h>

enum { TEXT_BYTES = 1 << 17 };

enum err ceremony_file_make(struct ceremony_file **ret_file, struct why *why)
{
        struct ceremony_file *file = mem_new(1, sizeof(*file));
        if (!file)
                return FAIL(why, ERR_NOMEM, "no memory for a proposal");
        proposal_init(&file->proposal);
        *ret_file = file;
        return OK;
}

void ceremony_file_close(struct ceremony_file *file)
{
        if (!file)
                return;
        proposal_done(&file->proposal);
        mem_free(file);
}

enum err ceremony_file_open(const char *path, struct ceremony_file **ret_file, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_PROPOSAL_BYTES);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, &text, why);
        if (!e)
                e = ceremony_file_make(&file, why);
        if (!e)
                e = proposal_read(buf_text(&text), text.length, &file->proposal, why);
        if (!e)
                e = holders_read(&file->proposal, &file->before, why);
        if (!e)
                e = holders_draft(&file->proposal, &file->before, &file->after, why);
        if (e)
                return DURING(why, e, "%.160s", path);
        *ret_file = GIVE(file);
        return OK;
}

enum err ceremony_file_check_absent(const char *path, struct why *why)
{
        return file_kind(path) == FILE_ABSENT ? OK : FAIL(why, ERR_REFUSED, "%.160s is there already; choose another name, or move it away", path);
}

enum err ceremony_file_write(const char *path, const struct ceremony_file *file, struct why *why)
{
        OWN(buf) struct buf text;
        OWN(file_new) struct file_new *new = NULL;
        buf_init(&text, LIMIT_PROPOSAL_BYTES);
        enum err e = proposal_write(&file->proposal, &text, why);
        if (!e)
                e = file_new_write(path, text.bytes, text.length, &new, why);
        return e ? e : file_new_settle(new, FILE_REPLACE, why);
}

/* ---- in words ---- */

static struct json *need_json(const struct proposal *proposal, enum paper paper, const struct rotation_need *need)
{
        struct json *json = json_new_object(), *good = json_new_array(), *missing = json_new_array();
        for (size_t i = 0; i < need->role.count; i++)
                json_add(proposal_has(proposal, paper, &need->role.keys[i].key) ? good : missing, json_new_text(need->role.keys[i].name));
        json_set_text(json, "whose", need->whose);
        json_set_int(json, "threshold", (int64_t)need->role.threshold);
        json_set(json, "signed", good);
        json_set(json, "missing", missing);
        return json;
}

static struct json *paper_json(const struct ceremony_file *file, enum paper paper)
{
        struct rotation_need needs[ROTATION_NEEDS_MAX];
        struct json *json = json_new_object(), *list = json_new_array();
        size_t count = rotation_needs(&file->proposal, &file->before, &file->after, paper, needs);
        for (size_t i = 0; i < count; i++)
                json_add(list, need_json(&file->proposal, paper, &needs[i]));
        json_set_text(json, "name", paper_name(paper));
        if (paper < PAPERS_IN_FORCE)
                json_set_int(json, "version", (int64_t)holders_version(&file->after, paper));
        json_set(json, "needs", list);
        return json;
}

static void add_changes(const struct holders *before, const struct holders *after, enum holder_role of, struct json *changes)
{
        const struct anchor_role old = holders_role(before, of), new = holders_role(after, of);
        char text[256], vkey[VKEY_TEXT_MAX];
        for (size_t i = 0; i < old.count; i++)
                if (!anchor_role_find(&new, &old.keys[i].key)) {
                        snprintf(text, sizeof(text), "%s: %s is taken out", holder_role_name(of), old.keys[i].name);
                        json_add(changes, json_new_text(text));
                }
        for (size_t i = 0; i < new.count; i++) {
                const struct vkey *was = anchor_role_find(&old, &new.keys[i].key);
                vkey_text(&new.keys[i], vkey);
                if (was && strcmp(was->name, new.keys[i].name) == 0)
                        continue;
                if (was)
                        snprintf(text, sizeof(text), "%s: %s is called %s from now on", holder_role_name(of), was->name, new.keys[i].name);
                else
                        snprintf(text, sizeof(text), "%s: %s is added", holder_role_name(of), vkey);
                json_add(changes, json_new_text(text));
        }
        if (old.threshold != new.threshold) {
                snprintf(text, sizeof(text), "%s: it takes %zu of %zu keys, before %zu of %zu", holder_role_name(of), new.threshold, new.count, old.threshold, old.count);
                json_add(changes, json_new_text(text));
        }
}

static void change(struct json *changes, const char *form, const char *detail)
{
        char text[640];
        snprintf(text, sizeof(text), form, detail);
        json_add(changes, json_new_text(text));
}

static bool has_witness(const struct anchor_witnesses *witnesses, const struct verifier *verifier)
{
        for (size_t i = 0; i < witnesses->count; i++)
                if (strcmp(witnesses->keys[i].name, verifier->name) == 0 && key_equal(&witnesses->keys[i].key, &verifier->key))
                        return true;
        return false;
}

static void add_log_changes(const struct anchor *old, const struct anchor *new, struct json *changes)
{
        char text[VERIFIER_TEXT_MAX + 64];
        OWN(buf) struct buf pace;
        struct anchor of_old_log = *new;
        buf_init(&pace, 2048);
        of_old_log.has_log = old->has_log;
        of_old_log.log = old->log;
        verifier_text(&new->log, text);
        if (!anchor_log_equal(&of_old_log, new))
                change(changes, new->has_log ? "log: devices install nothing that %s does not have" : "log: devices ask for no proof any more", text);
        for (size_t i = 0; i < old->witnesses.count; i++)
                if (!has_witness(&new->witnesses, &old->witnesses.keys[i]))
                        change(changes, "witness: %s is taken out", old->witnesses.keys[i].name);
        for (size_t i = 0; i < new->witnesses.count; i++) {
                verifier_text(&new->witnesses.keys[i], text);
                if (!has_witness(&old->witnesses, &new->witnesses.keys[i]))
                        change(changes, "witness: %s is added", text);
        }
        if (old->witnesses.threshold != new->witnesses.threshold) {
                snprintf(text, sizeof(text), "witness: it takes %zu of %zu, before %zu of %zu", new->witnesses.threshold, new->witnesses.count, old->witnesses.threshold, old->witnesses.count);
                json_add(changes, json_new_text(text));
        }
        if (ceiling_equal(&old->pace, &new->pace))
                return;
        OWN(json) struct json *steps = release_ceiling_json(&new->pace);
        print_ceiling(&pace, steps);
        change(changes, new->pace.count ? "pace: content alone reaches at most %s, from when witnesses saw the release" : "pace: content alone goes as fast as it says", buf_text(&pace));
}

static void add_stream_changes(const struct anchor_streams *old, const struct anchor_streams *new, struct json *changes)
{
        OWN(buf) struct buf names;
        buf_init(&names, 2048);
        if (anchor_streams_equal(old, new))
                return;
        for (size_t i = 0; i < new->count; i++)
                buf_addf(&names, "%s%s", i ? ", " : "", new->names[i]);
        change(changes, new->count ? "agent: its keys approve the releases of %s, and content keys do not" : "agent: content keys approve the releases of all streams", buf_text(&names));
}

/* {"edr-rules/4":{"sha256":…,"floor":1}}: what the content keys sign for with the targets. */
static struct json *lists_json(const struct proposal *proposal)
{
        const struct buf *text = &proposal->papers[PAPER_TARGETS].text;
        OWN(json) struct json *targets = NULL;
        struct json *lists = json_new_object();
        if (json_parse(buf_text(text), text->length, LIMIT_METADATA_BYTES, &targets, NULL) != OK)
                return lists;
        const struct json *of = json_get(targets, "targets");
        for (size_t i = 0; i < json_count(of); i++) {
                const struct json *target = json_value_at(of, i);
                struct json *one = json_new_object();
                json_set_text(one, "sha256", json_text(json_get(json_get(target, "hashes"), "sha256")));
                json_set_int(one, "floor", json_int(json_get(json_get(target, "custom"), "floor"), 0));
                json_set(lists, json_key_at(of, i), one);
        }
        return lists;
}

/* As `custom` of the targets has it, and what that lacks. */
static struct json *release_json(const struct proposal *proposal)
{
        char hex[65];
        OWN(release_note) struct release_note *note = NULL;
        if (addition_note(proposal, &note, NULL) != OK)
                return NULL;
        struct json *json = release_custom_new(note), *files = json_new_array();
        for (size_t i = 0; i < note->file_count; i++) {
                struct json *file = json_new_object();
                hex_encode(note->files[i].sha256, sizeof(note->files[i].sha256), hex);
                json_set_text(file, "path", note->files[i].path);
                json_set_int(file, "length", (int64_t)note->files[i].length);
                json_set_text(file, "sha256", hex);
                json_set_bool(file, "is_program", note->files[i].is_program);
                json_add(files, file);
        }
        hex_encode(note->target, sizeof(note->target), hex);
        json_set_text(json, "target", hex);
        json_set_int(json, "bytes", (int64_t)release_note_bytes(note));
        json_set(json, "files", files);
        return json;
}

static void set_digest(struct json *json, const char *name, const struct proposal *proposal)
{
        uint8_t digest[32];
        char hex[65];
        holders_digest(proposal, digest);
        hex_encode(digest, sizeof(digest), hex);
        json_set_text(json, name, hex);
}

struct json *ceremony_json(const struct ceremony_file *file)
{
        struct json *json = json_new_object(), *changes = json_new_array(), *papers = json_new_array();
        for (enum holder_role role = HOLDER_ROOT; role < HOLDER_ROLES; role++)
                add_changes(&file->before, &file->after, role, changes);
        add_stream_changes(&file->before.anchor.agent_streams, &file->after.anchor.agent_streams, changes);
        add_log_changes(&file->before.anchor, &file->after.anchor, changes);
        for (enum paper paper = 0; paper < PAPERS; paper++)
                if (file->proposal.papers[paper].text.length)
                        json_add(papers, paper_json(file, paper));
        json_set(json, "changes", changes);
        json_set(json, "papers", papers);
        json_set(json, "shall_be", holders_json(&file->after));
        if (file->after.adds_release)
                json_set(json, "release", release_json(&file->proposal));
        if (file->proposal.papers[PAPER_TARGETS].text.length)
                json_set(json, "lists", lists_json(&file->proposal));
        set_digest(json, "follows", &file->proposal);
        json_set_bool(json, "is_complete", rotation_is_complete(&file->proposal, &file->before, &file->after));
        return json;
}

static void names_line(const struct json *names, const char *before, struct buf *into)
{
        for (size_t i = 0; i < json_count(names); i++)
                buf_addf(into, "%s%s", i ? " " : before, json_text(json_at(names, i)));
}

static void role_line(const char *name, const struct json *role, struct buf *into)
{
        const struct json *keys = json_get(role, "keys");
        if (!json_count(keys)) {
                buf_addf(into, "%-14s none\n", name);
                return;
        }
        buf_addf(into, "%-14s %lld of %zu", name, (long long)json_int(json_get(role, "threshold"), 0), json_count(keys));
        for (size_t i = 0; i < json_count(keys); i++) {
                buf_add_text(into, i ? "                       " : "  ");
                print_clean(into, json_text(json_at(keys, i)));
                buf_add_text(into, "\n");
        }
}

static void log_lines(const struct json *json, struct buf *into)
{
        const struct json *log = json_get(json, "log"), *pace = json_get(json, "pace");
        if (log) {
                buf_addf(into, "%-14s ", "log");
                print_clean(into, json_text(log));
                buf_add_text(into, "\n");
        }
        if (json_count(json_get(json_get(json, "witnesses"), "keys")))
                role_line("witnesses", json_get(json, "witnesses"), into);
        if (!pace)
                return;
        buf_addf(into, "%-14s ", "pace");
        print_ceiling(into, pace);
        buf_add_text(into, "\n");
}

static void version_line(const struct json *versions, enum paper paper, int64_t now, struct buf *into)
{
        const struct json *of = json_get(versions, paper_name(paper)), *expires = json_get(of, "expires");
        const int64_t left = json_int(expires, 0) - now;
        buf_addf(into, "%-18s version %lld", paper_name(paper), (long long)json_int(json_get(of, "version"), 0));
        if (expires)
                buf_add_text(into, left > 0 ? ", good for " : ", expired since ");
        if (expires)
                print_span(into, left > 0 ? left : -left);
        buf_add_text(into, "\n");
}

void holders_lines(const struct json *json, int64_t now, struct buf *into)
{
        const struct json *roles = json_get(json, "roles"), *versions = json_get(json, "versions");
        for (size_t i = 0; i < json_count(roles); i++)
                role_line(json_key_at(roles, i), json_value_at(roles, i), into);
        if (json_get(json, "agent_streams")) {
                buf_addf(into, "%-14s ", "agent streams");
                names_line(json_get(json, "agent_streams"), "", into);
                buf_add_text(into, "\n");
        }
        log_lines(json, into);
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++)
                version_line(versions, paper, now, into);
}

static void paper_lines(const struct json *paper, struct buf *into)
{
        const struct json *needs = json_get(paper, "needs");
        for (size_t k = 0; k < json_count(needs); k++) {
                const struct json *need = json_at(needs, k), *good = json_get(need, "signed");
                const int64_t threshold = json_int(json_get(need, "threshold"), 0);
                buf_addf(into, "%-18s ", k ? "" : json_text(json_get(paper, "name")));
                buf_addf(into, json_get(paper, "version") ? "version %-3lld " : "            ", (long long)json_int(json_get(paper, "version"), 0));
                buf_addf(into, "%zu of the %lld signatures of %s", json_count(good), (long long)threshold, json_text(json_get(need, "whose")));
                names_line(good, ": ", into);
                if ((int64_t)json_count(good) < threshold)
                        names_line(json_get(need, "missing"), "; yet to sign: ", into);
                buf_add_text(into, "\n");
        }
}

enum { LISTED_LINES = 50 };

static void lists_lines(const struct json *lists, struct buf *into)
{
        const size_t count = json_count(lists);
        if (!lists)
                return;
        buf_addf(into, "content signs for %zu releases%s\n", count, count ? ":" : "");
        for (size_t i = 0; i < count && i < LISTED_LINES; i++) {
                buf_add_text(into, "  ");
                print_clean(into, json_key_at(lists, i));
                buf_addf(into, "  floor %lld  ", (long long)json_int(json_get(json_value_at(lists, i), "floor"), 0));
                print_clean(into, json_text(json_get(json_value_at(lists, i), "sha256")));
                buf_add_text(into, "\n");
        }
        if (count > LISTED_LINES)
                buf_addf(into, "  and %zu more; --json has all\n", count - LISTED_LINES);
}

static void change_lines(const struct json *changes, struct buf *into)
{
        for (size_t i = 0; i < json_count(changes); i++) {
                buf_add_text(into, "  ");
                print_clean(into, json_text(json_at(changes, i)));
                buf_add_text(into, "\n");
        }
        if (!json_count(changes))
                buf_add_text(into, "  the holders stay; the files get a new date\n");
        buf_add_text(into, "then\n");
}

static void start_line(int64_t start, int64_t now, struct buf *into)
{
        buf_add_text(into, start > now ? "\nstart          in " : "\nstart          ");
        print_span(into, start > now ? start - now : now - start);
        buf_add_text(into, start > now ? "" : " ago");
}

static void release_lines(const struct json *release, int64_t now, struct buf *into)
{
        const struct json *platforms = json_get(release, "platforms"), *files = json_get(release, "files");
        buf_addf(into, "release        %s/%lld\n", json_text(json_get(release, "stream")), (long long)json_int(json_get(release, "counter"), 0));
        buf_addf(into, "target         %s\n", json_text(json_get(release, "target")));
        buf_addf(into, "version        %s\n", json_text(json_get(release, "version")));
        buf_addf(into, "floor          %lld\n", (long long)json_int(json_get(release, "floor"), 0));
        names_line(platforms, "platforms      ", into);
        buf_add_text(into, "\nceiling        ");
        print_ceiling(into, json_get(release, "ceiling"));
        start_line(json_int(json_get(release, "start"), 0), now, into);
        buf_addf(into, "\ndossier        %s\n", json_text(json_get(release, "dossier")));
        buf_addf(into, "files          %zu, %lld bytes\n", json_count(files), (long long)json_int(json_get(release, "bytes"), 0));
        for (size_t i = 0; i < json_count(files) && i < LISTED_LINES; i++) {
                buf_addf(into, "  %s  ", json_text(json_get(json_at(files, i), "sha256")));
                print_clean(into, json_text(json_get(json_at(files, i), "path")));
                buf_add_text(into, "\n");
        }
        if (json_count(files) > LISTED_LINES)
                buf_addf(into, "  and %zu more; --json has all\n", json_count(files) - LISTED_LINES);
}

static void ceremony_lines(const struct json *json, int64_t now, struct buf *into)
{
        const struct json *release = json_get(json, "release"), *papers = json_get(json, "papers"), *shall_be = json_get(json, "shall_be");
        if (release) {
                release_lines(release, now, into);
                version_line(json_get(shall_be, "versions"), PAPER_TARGETS, now, into);
                version_line(json_get(shall_be, "versions"), PAPER_SNAPSHOT, now, into);
        } else {
                change_lines(json_get(json, "changes"), into);
                holders_lines(shall_be, now, into);
        }
        lists_lines(json_get(json, "lists"), into);
        buf_add_text(into, "signatures\n");
        for (size_t i = 0; i < json_count(papers); i++)
                paper_lines(json_at(papers, i), into);
        buf_addf(into, "it follows %s\n", json_text(json_get(json, "follows")));
}

enum err ceremony_tell(struct cli *cli, const struct ceremony_file *file, const char *first, const char *next, struct why *why)
{
        OWN(buf) struct buf lines;
        OWN(json) struct json *json = ceremony_json(file);
        buf_init(&lines, TEXT_BYTES);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the proposal");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        buf_add_text(&lines, first);
        ceremony_lines(json, cli_now(cli), &lines);
        if (next)
                buf_addf(&lines, "next: %s\n", next);
        return print_buf(cli, &lines, why);
}

/* ---- who holds what ---- */

static struct json *role_json(const struct anchor_role *role)
{
        char text[VKEY_TEXT_MAX];
        struct json *json = json_new_object(), *keys = json_new_array();
        for (size_t i = 0; i < role->count; i++) {
                vkey_text(&role->keys[i], text);
                json_add(keys, json_new_text(text));
        }
        json_set_int(json, "threshold", (int64_t)role->threshold);
        json_set(json, "keys", keys);
        return json;
}

static struct json *streams_json(const struct anchor_streams *streams)
{
        struct json *json = json_new_array();
        for (size_t i = 0; i < streams->count; i++)
                json_add(json, json_new_text(streams->names[i]));
        return json;
}

/* What there is of it. */
static void set_log(struct json *json, const struct anchor *anchor)
{
        char text[VERIFIER_TEXT_MAX];
        struct json *witnesses = json_new_object(), *keys = json_new_array();
        for (size_t i = 0; i < anchor->witnesses.count; i++) {
                verifier_text(&anchor->witnesses.keys[i], text);
                json_add(keys, json_new_text(text));
        }
        json_set_int(witnesses, "threshold", (int64_t)anchor->witnesses.threshold);
        json_set(witnesses, "keys", keys);
        verifier_text(&anchor->log, text);
        if (anchor->has_log)
                json_set_text(json, "log", text);
        if (anchor->pace.count)
                json_set(json, "pace", release_ceiling_json(&anchor->pace));
        json_set(json, "witnesses", witnesses);
}

static void set_version(struct json *versions, enum paper paper, const struct holders *holders, int64_t expires)
{
        struct json *json = json_new_object();
        json_set_int(json, "version", (int64_t)holders_version(holders, paper));
        if (expires)
                json_set_int(json, "expires", expires);
        json_set(versions, paper_name(paper), json);
}

struct json *in_force_json(const struct ceremony_file *file)
{
        struct json *json = holders_json(&file->before);
        set_digest(json, "digest", &file->proposal);
        return json;
}

struct json *holders_json(const struct holders *holders)
{
        struct json *json = json_new_object(), *roles = json_new_object(), *versions = json_new_object();
        const int64_t expires[PAPERS] = { [PAPER_RELEASE_ROOT] = holders->release_root.expires, [PAPER_DIRECTOR_ROOT] = holders->director_root.expires,
                                          [PAPER_TARGETS] = holders->targets.expires, [PAPER_SNAPSHOT] = holders->snapshot.expires };
        for (enum holder_role role = HOLDER_ROOT; role < HOLDER_ROLES; role++) {
                const struct anchor_role of = holders_role(holders, role);
                json_set(roles, holder_role_name(role), role_json(&of));
        }
        for (enum paper paper = 0; paper < PAPERS_IN_FORCE; paper++)
                set_version(versions, paper, holders, expires[paper]);
        json_set(json, "roles", roles);
        if (holders->anchor.agent_streams.count)
                json_set(json, "agent_streams", streams_json(&holders->anchor.agent_streams));
        set_log(json, &holders->anchor);
        json_set(json, "versions", versions);
        return json;
}
