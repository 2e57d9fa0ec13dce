#include "trust/release_note.h"

#include "support/sweep.h"
#include "trust/anchor.h"
#include "trust/keys.h"

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The bytes of formats.md, 1.1: what every device reads. */
static const char stored[] =
        "firebreak release v1\nstream edr-rules\ncounter 4\nfloor 1\nversion 2026.07.19-4\nplatform linux-amd64\nplatform linux-arm64\n"
        "start 1784432140\nceiling 0 1000\nceiling 3600 10000\nceiling 14400 1000000\ndossier " DIGEST_A "\nfiles 2 5120\n"
        "file 1234 " DIGEST_B " rules/main.yar\nfile 3886 " DIGEST_A " rules/more.yar\n";

static enum err parse(const char *text)
{
        OWN(release_note) struct release_note *note = NULL;
        enum err e = release_note_parse(text, strlen(text), &note, NULL);
        CHECK(e ? !note : note != NULL);
        return e;
}

/* The stored bytes with the first place of `old` replaced. */
static enum err parse_with(const char *old, const char *new)
{
        char text[2048];
        const char *at = strstr(stored, old);
        CHECK(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - stored), stored, new, at + strlen(old));
        return parse(text);
}

TEST(release_note, is_read_with_all_its_fields)
{
        OWN(release_note) struct release_note *note = NULL;
        CHECK(release_note_parse(stored, strlen(stored), &note, NULL) == OK);
        CHECK(strcmp(note->stream, "edr-rules") == 0 && strcmp(note->version, "2026.07.19-4") == 0 && note->counter == 4 && note->floor == 1);
        CHECK(note->platform_count == 2 && note->ceiling.count == 3 && note->ceiling.start == 1784432140 && note->ceiling.steps[1].ppm == 10000);
        CHECK(note->file_count == 2 && note->files[1].length == 3886 && strcmp(note->files[1].path, "rules/more.yar") == 0);
        CHECK(note->files[0].sha256[0] == 0xbb && note->dossier[31] == 0xaa && release_note_bytes(note) == 5120);
        CHECK(release_note_is_for(note, "linux-arm64") && !release_note_is_for(note, "windows-amd64") && !release_note_is_for(note, "any"));
}

TEST(release_note, is_written_as_it_was_read)
{
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(release_note_parse(stored, strlen(stored), &note, NULL) == OK && release_note_write(note, &text, NULL) == OK);
        CHECK(strcmp(buf_text(&text), stored) == 0);
}

TEST(release_note, says_which_files_are_programs)
{
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf text;
        char with[2048];
        const char *at = strstr(stored, "file 3886");
        snprintf(with, sizeof(with), "%.*sprogram%s", (int)(at - stored), stored, at + strlen("file"));
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(release_note_parse(with, strlen(with), &note, NULL) == OK && !note->files[0].is_program && note->files[1].is_program);
        CHECK(release_note_write(note, &text, NULL) == OK && strcmp(buf_text(&text), with) == 0);
        CHECK(parse_with("file 3886", "programs 3886") == ERR_SYNTAX && parse_with("file 3886", "PROGRAM 3886") == ERR_SYNTAX);
}

TEST(release_note, for_any_platform_is_for_all)
{
        static const char lines[] = "platform linux-amd64\nplatform linux-arm64\n";
        char text[2048];
        OWN(release_note) struct release_note *note = NULL;
        const char *at = strstr(stored, lines);
        snprintf(text, sizeof(text), "%.*splatform any\n%s", (int)(at - stored), stored, at + strlen(lines));
        CHECK(release_note_parse(text, strlen(text), &note, NULL) == OK && release_note_is_for(note, "windows-amd64"));
}

TEST(release_note, refuses_lines_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "release v1", "release v2" }, { "firebreak", " firebreak" }, { "stream edr-rules\n", "" }, { "edr-rules", "edr/rules" }, { "edr-rules", "" },
                { "edr-rules", "-rules" }, { "stream edr-rules\ncounter 4", "counter 4\nstream edr-rules" }, { "counter 4", "counter 0" },
                { "counter 4", "counter 04" }, { "counter 4", "counter +4" }, { "counter 4", "counter 4 " }, { "counter 4", "counter  4" },
                { "counter 4", "counter 9223372036854775808" }, { "counter 4", "counter 99999999999999999999" }, { "floor 1", "floor 5" },
                { "floor 1\n", "floor 1\nfloor 1\n" }, { "floor 1\n", "floor 1\nmore 1\n" }, { "version 2026", "version\t2026" },
                { "platform linux-amd64\nplatform linux-arm64\n", "" }, { "start 1784432140\n", "" }, { "start 17", "start -17" },
                { "ceiling 0 1000\nceiling 3600 10000\nceiling 14400 1000000\n", "" }, { "ceiling 3600 10000", "ceiling 3600 1000" },
                { "ceiling 3600", "ceiling 0" }, { "14400 1000000", "14400 1000001" }, { "ceiling 0 1000", "ceiling 0" }, { "ceiling 0 1000", "ceiling 0 1000 1" },
                { "dossier aa", "dossier AA" }, { "dossier aa", "dossier a" }, { "files 2 5120", "files 2 5121" }, { "files 2 5120", "files 1 5120" },
                { "files 2 5120", "files 3 5120" }, { "files 2 5120", "files 0 0" }, { "file 1234", "file 01234" }, { "main.yar\n", "main.yar\n\n" },
                { "more.yar\n", "more.yar" }, { "more.yar\n", "more.yar\nfile" }, { "main.yar\n", "zz.yar\n" }, { "more.yar", "main.yar" }, { "main.yar\n", "main.yar\r\n" },
        };
        CHECK(parse_with("1234", "1234") == OK && parse("") == ERR_SYNTAX && parse("\n") == ERR_SYNTAX);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(parse_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(release_note, refuses_paths_that_leave_the_release)
{
        static const char *const paths[] = {
                "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", "a/.", "./a", ".", "a//b", "a/", "a b", "a\\b", "a:b", "a\x01", "\xc3\xa9", "a/*", "~/x y", "a\x7f",
        };
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
                CHECK(parse_with("rules/main.yar", paths[i]) == ERR_SYNTAX);
        CHECK(parse_with("rules/main.yar", "...") == OK && parse_with("rules/main.yar", ".hidden") == OK && parse_with("rules/main.yar", "a@1/b_+-.c") == OK);
}

TEST(release_note, refuses_a_path_through_a_file)
{
        CHECK(parse_with("rules/main.yar", "rules") == ERR_SYNTAX);
        CHECK(parse_with("rules/main.yar\nfile 3886", "rules\nfile 1 " DIGEST_A " rules+\nfile 3885") == ERR_SYNTAX);
        CHECK(parse_with("rules/main.yar", "rule") == OK);
}

TEST(release_note, refuses_a_path_that_is_too_long)
{
        char path[LIMIT_PATH_BYTES + 2];
        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        CHECK(parse_with("rules/main.yar", path) == ERR_SYNTAX);
        path[LIMIT_PATH_BYTES] = 0;
        CHECK(parse_with("rules/main.yar", path) == OK);
}

TEST(release_note, refuses_a_nul_byte_wherever_it_stands)
{
        char text[sizeof(stored)];
        for (size_t i = 0; i < strlen(stored); i++) {
                OWN(release_note) struct release_note *note = NULL;
                memcpy(text, stored, sizeof(text));
                text[i] = 0;
                CHECK(release_note_parse(text, strlen(stored), &note, NULL) == ERR_SYNTAX && !note);
        }
}

TEST(release_note, cut_anywhere_is_refused)
{
        for (size_t length = 0; length < strlen(stored); length++) {
                OWN(release_note) struct release_note *note = NULL;
                CHECK(release_note_parse(stored, length, &note, NULL) == ERR_SYNTAX);
        }
}

TEST(release_note, has_limits_that_it_names)
{
        CHECK(parse_with("files 2 5120", "files 8193 5120") == ERR_LIMIT);
        CHECK(parse_with("file 1234", "file 1073741825") == ERR_LIMIT);
        CHECK(parse_with("files 2 5120", "files 99999999999999 5120") == ERR_LIMIT);
        struct release_note note = { .platform_count = RELEASE_PLATFORMS_MAX + 1 };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_NOTE_BYTES);
        CHECK(release_note_write(&note, &text, NULL) == ERR_LIMIT);
}

TEST(release_note, counts_only_with_the_content_threshold)
{
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf bytes;
        struct anchor anchor = { .content = { 2, 3, { test_vkey("a", 1), test_vkey("b", 2), test_vkey("c", 3) } }, .root = { 1, 1, { test_vkey("root", 4) } } };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        buf_add_text(&bytes, stored);
        test_sign(&bytes, "a", 1);
        CHECK(release_note_open(&anchor, &bytes, &note, NULL) == ERR_UNTRUSTED);
        test_sign(&bytes, "a", 1);
        test_sign(&bytes, "root", 4);
        test_sign(&bytes, "director", 5);
        CHECK(release_note_open(&anchor, &bytes, &note, NULL) == ERR_UNTRUSTED && !note);
        test_sign(&bytes, "c", 3);
        CHECK(release_note_open(&anchor, &bytes, &note, NULL) == OK && note->counter == 4);
        bytes.bytes[30] ^= 1;
        release_note_free(GIVE(note));
        CHECK(release_note_open(&anchor, &bytes, &note, NULL) == ERR_UNTRUSTED && !note);
}

static enum err opens(const struct anchor *anchor, const char *stream, const uint8_t *signers)
{
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf bytes;
        static const char *const names[] = { "", "a", "b", "build" };
        const char *line = strstr(stored, "stream ");
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        buf_addf(&bytes, "%.*sstream %s%s", (int)(line - stored), stored, stream, strchr(line, '\n'));
        for (; *signers; signers++)
                test_sign(&bytes, names[*signers], *signers);
        enum err e = release_note_open(anchor, &bytes, &note, NULL);
        CHECK(!e == (note != NULL));
        return e;
}

TEST(release_note, of_the_agent_takes_its_own_keys_and_no_other_takes_them)
{
        static const uint8_t nobody[] = { 0 }, content[] = { 1, 0 }, agent[] = { 3, 0 }, both[] = { 1, 3, 0 };
        struct anchor anchor = { .content = { 1, 2, { test_vkey("a", 1), test_vkey("b", 2) } }, .root = { 1, 1, { test_vkey("root", 4) } } };
        CHECK(opens(&anchor, "agent", content) == OK && opens(&anchor, "agent", agent) == ERR_UNTRUSTED);
        anchor.agent = (struct anchor_role){ 1, 1, { test_vkey("build", 3) } };
        anchor.agent_streams = (struct anchor_streams){ 1, { "agent" } };
        const struct { const char *stream; const uint8_t *signers; enum err e; } cases[] = {
                { "agent", content, ERR_UNTRUSTED }, { "agent", agent, OK }, { "agent", both, OK }, { "agent", nobody, ERR_SYNTAX },
                { "rules", content, OK }, { "rules", agent, ERR_UNTRUSTED }, { "rules", both, OK }, { "agent2", agent, ERR_UNTRUSTED }, { "agent2", content, OK },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(opens(&anchor, cases[i].stream, cases[i].signers) == cases[i].e);
}

TEST(release_note_open, survives_a_lack_of_memory)
{
        OWN(buf) struct buf bytes;
        const struct anchor anchor = { .content = { 1, 1, { test_vkey("a", 1) } }, .root = { 1, 1, { test_vkey("root", 4) } } };
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        buf_add_text(&bytes, stored);
        test_sign(&bytes, "a", 1);
        SWEEP_MEMORY {
                OWN(release_note) struct release_note *note = NULL;
                enum err e = release_note_open(&anchor, &bytes, &note, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !note));
        }
}

TEST(release_note, is_whole_or_not_there_when_memory_is_short)
{
        SWEEP_MEMORY {
                OWN(release_note) struct release_note *note = NULL;
                enum err e = release_note_parse(stored, strlen(stored), &note, NULL);
                CHECK(e ? e == ERR_NOMEM && !note : note->file_count == 2);
        }
}
