#include "ceremony/addition.h"

#include "ceremony/files.h"
#include "ceremony/rotation.h"
#include "format/hex.h"
#include "support/sweep.h"
#include "trust/release_note.h"

#include <string.h>

enum { EXPIRES = FILES_NOW + 90 * FILES_DAY };

static void write_note_of(const char *stream, uint64_t counter, struct buf *text)
{
        struct release_file file = { .length = 1, .path = "VERSION" };
        struct release_note note = {
                .version = "1", .counter = counter, .floor = 1, .platform_count = 1, .platforms = { "any" }, .file_count = 1, .files = &file,
                .ceiling = { .start = 1000, .count = 1, .steps = { { 0, CEILING_ALL_PPM } } },
        };
        snprintf(note.stream, sizeof(note.stream), "%s", stream);
        buf_init(text, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&note, text, NULL) == OK);
}

static void write_note(uint64_t counter, struct buf *text)
{
        write_note_of("rules", counter, text);
}

static void propose(struct proposal *proposal, uint64_t counter)
{
        OWN(buf) struct buf text;
        write_note(counter, &text);
        CHECK(addition_propose(proposal, &text, EXPIRES, NULL) == OK);
}

static enum err finish(const struct proposal *proposal, int64_t now, struct why *why)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        enum err e = rotation_finish(proposal, now, files.of, why);
        return e;
}

/* The files that were made are in force. */
static void take(struct proposal *proposal)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        CHECK(rotation_finish(proposal, FILES_NOW, files.of, NULL) == OK);
        for (size_t i = 0; i < PAPERS; i++) {
                proposal->papers[i].count = 0;
                buf_clear(&proposal->papers[i].text);
                if (!files.of[i].length || i == PAPER_NOTE)
                        continue;
                buf_clear(&proposal->papers[i].before);
                buf_add(&proposal->papers[i].before, files.of[i].bytes, files.of[i].length);
        }
}

/* Content is two of three, by other people than before. */
static void make_three(struct proposal *proposal)
{
        const struct rotation_step steps[] = {
                { .kind = ROTATION_ADD, .role = HOLDER_CONTENT, .vkey = test_vkey("content.b", 21) }, { .kind = ROTATION_ADD, .role = HOLDER_CONTENT, .vkey = test_vkey("content.c", 22) },
                { .kind = ROTATION_THRESHOLD, .role = HOLDER_CONTENT, .threshold = 2 }, { .kind = ROTATION_ADD, .role = HOLDER_TIMESTAMP, .vkey = test_vkey("timestamp", 14) },
        };
        files_make(proposal);
        CHECK(rotation_propose(proposal, &(struct rotation){ steps, sizeof(steps) / sizeof(steps[0]), FILES_NOW, 365 * FILES_DAY, 90 * FILES_DAY, false }, NULL) == OK);
        for (uint8_t n = 1; n <= 22; n++)
                files_sign_all(proposal, n);
        take(proposal);
}

static bool lists(const struct proposal *proposal, const uint8_t target[32])
{
        char hex[65];
        hex_encode(target, 32, hex);
        return strstr(buf_text(&proposal->papers[PAPER_TARGETS].before), hex);
}

TEST(addition, lists_a_release_beside_those_before)
{
        OWN(proposal) struct proposal proposal;
        OWN(release_note) struct release_note *one = NULL, *two = NULL;
        files_make(&proposal);
        propose(&proposal, 4);
        CHECK(addition_note(&proposal, &one, NULL) == OK);
        files_sign_all(&proposal, 2);
        take(&proposal);
        propose(&proposal, 5);
        CHECK(addition_note(&proposal, &two, NULL) == OK);
        files_sign_all(&proposal, 2);
        take(&proposal);
        CHECK(lists(&proposal, one->target) && lists(&proposal, two->target));
}

/* Content lists it, agent keys say what it is: neither does the other's part. */
TEST(addition, of_the_agent_takes_the_keys_of_both)
{
        const struct rotation_step steps[] = { { .kind = ROTATION_ADD, .role = HOLDER_AGENT, .vkey = test_vkey("build.a", 31) }, { .kind = ROTATION_THRESHOLD, .role = HOLDER_AGENT, .threshold = 1 },
                                               { .kind = ROTATION_STREAMS, .streams = { 1, { "agent" } } } };
        static const struct { const char *stream; uint8_t signers[2]; enum err e; } cases[] = {
                { "agent", { 2, 0 }, ERR_UNTRUSTED }, { "agent", { 31, 0 }, ERR_UNTRUSTED }, { "agent", { 2, 31 }, OK }, { "rules", { 2, 0 }, OK }, { "rules", { 31, 0 }, ERR_UNTRUSTED },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(proposal) struct proposal proposal;
                OWN(buf) struct buf text;
                files_make(&proposal);
                CHECK(rotation_propose(&proposal, &(struct rotation){ steps, 3, FILES_NOW, FILES_DAY, FILES_DAY, false }, NULL) == OK);
                files_sign_all(&proposal, 1);
                take(&proposal);
                write_note_of(cases[i].stream, 4, &text);
                CHECK(addition_propose(&proposal, &text, EXPIRES, NULL) == OK);
                for (size_t k = 0; k < 2 && cases[i].signers[k]; k++)
                        files_sign_all(&proposal, cases[i].signers[k]);
                CHECK(finish(&proposal, FILES_NOW, NULL) == cases[i].e);
        }
}

/* Each of the signatures of both is needed, wherever they were made. */
TEST(addition, needs_the_threshold_on_each_paper)
{
        static const uint8_t signers[] = { 2, 22 };
        for (size_t left_out = 0; left_out < sizeof(signers); left_out++)
                for (enum paper paper = 0; paper <= PAPERS; paper++) {
                        OWN(proposal) struct proposal proposal;
                        make_three(&proposal);
                        propose(&proposal, 4);
                        for (size_t i = 0; i < sizeof(signers); i++)
                                for (enum paper other = 0; other < PAPERS; other++)
                                        if (proposal.papers[other].text.length && (i != left_out || other != paper))
                                                CHECK(files_sign(&proposal, other, signers[i]) == OK);
                        const bool counts = paper < PAPERS && proposal.papers[paper].text.length;
                        CHECK(finish(&proposal, FILES_NOW, NULL) == (counts ? ERR_UNTRUSTED : OK));
                }
}

TEST(addition, is_of_no_key_that_does_not_sign_content)
{
        OWN(proposal) struct proposal proposal;
        make_three(&proposal);
        propose(&proposal, 4);
        files_sign_all(&proposal, 2);
        files_sign_all(&proposal, 1);
        files_sign_all(&proposal, 3);
        files_sign_all(&proposal, 14);
        CHECK(finish(&proposal, FILES_NOW, NULL) == ERR_UNTRUSTED);
}

TEST(addition, refuses_a_name_that_is_listed)
{
        OWN(proposal) struct proposal proposal;
        OWN(buf) struct buf text;
        struct why why = { 0 };
        files_make(&proposal);
        propose(&proposal, 4);
        files_sign_all(&proposal, 2);
        take(&proposal);
        write_note(4, &text);
        CHECK(addition_propose(&proposal, &text, EXPIRES, &why) == ERR_REFUSED && strstr(why.text, "higher counter"));
}

TEST(addition, refuses_what_is_no_note)
{
        OWN(proposal) struct proposal proposal;
        OWN(buf) struct buf text;
        files_make(&proposal);
        write_note(4, &text);
        test_sign(&text, "content.acme", 2);
        CHECK(addition_propose(&proposal, &text, EXPIRES, NULL) == ERR_SYNTAX);
}

/* The texts as somebody would have them; what does it say? */
static enum err read_changed(struct proposal *proposal, struct why *why)
{
        struct holders before, after;
        enum err e = holders_read(proposal, &before, why);
        return e ? e : holders_draft(proposal, &before, &after, why);
}

static void replace(struct buf *text, const char *old, const char *new)
{
        char *at = strstr(text->bytes, old);
        CHECK(at && strlen(old) == strlen(new));
        if (at)
                memcpy(at, new, strlen(new));
}

TEST(addition, says_nothing_between_the_lines)
{
        static const struct { enum paper paper; const char *old, *new; } cases[] = {
                { PAPER_NOTE, "counter 4", "counter 5" },       { PAPER_NOTE, "floor 1", "floor 2" },       { PAPER_NOTE, "start 1000", "start 0100" },
                { PAPER_TARGETS, "rules/4", "rules/5" },        { PAPER_TARGETS, "\"floor\":1", "\"floor\":0" }, { PAPER_TARGETS, "\"version\":2", "\"version\":9" },
                { PAPER_SNAPSHOT, "\"version\":2", "\"version\":1" }, { PAPER_TARGETS, "sha256\":\"", "sha512\":\"" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(proposal) struct proposal proposal;
                files_make(&proposal);
                propose(&proposal, 4);
                CHECK(read_changed(&proposal, NULL) == OK);
                replace(&proposal.papers[cases[i].paper].text, cases[i].old, cases[i].new);
                CHECK(read_changed(&proposal, NULL) != OK);
        }
}

TEST(addition, is_whole_and_by_itself)
{
        for (enum paper paper = 0; paper < PAPERS; paper++) {
                OWN(proposal) struct proposal proposal;
                struct holders holders = files_holders();
                files_make(&proposal);
                propose(&proposal, 4);
                struct buf *text = &proposal.papers[paper].text;
                if (text->length)
                        buf_clear(text);
                else {
                        holders.anchor.version = holders.director.version = holders.release_root.version = holders.director_root.version = 2;
                        CHECK(holders_write(&holders, paper, &proposal, text, NULL) == OK);
                }
                CHECK(read_changed(&proposal, NULL) != OK);
        }
}

TEST(addition, is_good_for_as_long_as_a_listing_may_be)
{
        static const struct { int64_t now; enum err e; } cases[] = { { FILES_NOW, OK }, { EXPIRES - 1, OK }, { EXPIRES, ERR_EXPIRED }, { EXPIRES - ROTATION_LISTING_S_MAX - 1, ERR_EXPIRED } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(proposal) struct proposal proposal;
                files_make(&proposal);
                propose(&proposal, 4);
                files_sign_all(&proposal, 2);
                CHECK(finish(&proposal, cases[i].now, NULL) == cases[i].e);
        }
}

TEST(addition, travels_in_a_file)
{
        OWN(proposal) struct proposal proposal, read, other;
        OWN(buf) struct buf file;
        struct why why = { 0 };
        make_three(&proposal);
        propose(&proposal, 4);
        files_sign_all(&proposal, 2);
        buf_init(&file, LIMIT_PROPOSAL_BYTES);
        proposal_init(&read);
        proposal_init(&other);
        CHECK(proposal_write(&proposal, &file, NULL) == OK && proposal_read(buf_text(&file), file.length, &read, NULL) == OK);
        files_sign_all(&read, 21);
        CHECK(proposal_merge(&proposal, &read, NULL) == OK && finish(&proposal, FILES_NOW, NULL) == OK);
        replace(&file, "\"before\": \"\"", "\"before\": \"a");
        CHECK(proposal_read(buf_text(&file), file.length, &other, &why) != OK);
}

TEST(addition, survives_a_lack_of_memory)
{
        OWN(proposal) struct proposal whole;
        files_make(&whole);
        propose(&whole, 4);
        files_sign_all(&whole, 2);
        SWEEP_MEMORY {
                enum err e = finish(&whole, FILES_NOW, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        SWEEP_MEMORY {
                struct holders before, after;
                enum err e = holders_read(&whole, &before, NULL);
                if (!e)
                        e = holders_draft(&whole, &before, &after, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
