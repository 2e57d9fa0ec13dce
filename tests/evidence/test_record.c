#include "evidence/record.h"

#include "evidence/records.h"
#include "support/sweep.h"
#include "trust/keys.h"

#include <inttypes.h>

/* The bytes of formats.md, 3. Devices, labs and servers of other versions read them. */
static const char stored[] =
        "{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"cases\":412,\"check\":\"org.firebreak.yara.legit\",\"check_version\":1,"
        "\"corpus\":\"" TARGET_B "\",\"critical\":true,\"engine\":{\"name\":\"firebreak-yarad\",\"sha256\":\"" TARGET_B "\",\"version\":\"2.1\"},"
        "\"failed\":1,\"finished\":1784432002,\"limits\":\"rlimit\",\"log\":\"" TARGET_B "\",\"origin\":\"lab.acme\",\"platform\":\"linux-amd64\","
        "\"saw\":{\"bytes\":73400320,\"canary\":true,\"files\":412,\"rules\":3},\"stage\":\"S4\",\"started\":1784432000,\"status\":\"FAIL\","
        "\"why\":\"rule flag_ls matches /bin/ls (boot-critical)\"},\"predicateType\":\"https://firebreak.example/lab-run/v1\","
        "\"subject\":[{\"digest\":{\"sha256\":\"" TARGET_A "\"},\"name\":\"edr-rules/4\"}]}";

static struct record critical(void)
{
        struct record record = test_record("lab.acme", "S4", RECORD_FAIL);
        record.why = "rule flag_ls matches /bin/ls (boot-critical)";
        record.is_critical = true;
        return record;
}

static enum err parse_text(const char *text)
{
        OWN(record) struct record record = { 0 };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 1 << 16);
        buf_add_text(&bytes, text);
        return record_parse(&bytes, &record, NULL);
}

/* The stored bytes with one piece replaced. */
static enum err parse_with(const char *old, const char *new)
{
        char text[4096];
        const char *at = strstr(stored, old);
        CHECK(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - stored), stored, new, at + strlen(old));
        return parse_text(text);
}

TEST(record, is_written_as_the_bytes_that_others_read)
{
        OWN(buf) struct buf bytes;
        struct record record = critical();
        buf_init(&bytes, 1 << 16);
        CHECK(record_write(&record, &bytes, NULL) == OK);
        CHECK(strcmp(buf_text(&bytes), stored) == 0);
}

TEST(record, comes_back_with_all_its_fields)
{
        OWN(buf) struct buf bytes;
        OWN(record) struct record record = { 0 };
        buf_init(&bytes, 1 << 16);
        buf_add_text(&bytes, stored);
        CHECK(record_parse(&bytes, &record, NULL) == OK);
        CHECK(strcmp(record.stream, "edr-rules") == 0 && record.counter == 4 && strcmp(record.target, TARGET_A) == 0);
        CHECK(strcmp(record.origin, "lab.acme") == 0 && strcmp(record.stage, "S4") == 0 && record.status == RECORD_FAIL && record.is_critical);
        CHECK(strcmp(record.engine.version, "2.1") == 0 && record.saw.bytes == 73400320 && record.saw.canary && record.failed == 1);
        CHECK(strcmp(record.check, "org.firebreak.yara.legit") == 0 && record.finished == 1784432002 && strcmp(record.limits, "rlimit") == 0);
}

TEST(record, leaves_critical_out_unless_it_is)
{
        OWN(buf) struct buf bytes;
        struct record record = test_record("lab.acme", "S4", RECORD_PASS);
        buf_init(&bytes, 1 << 16);
        CHECK(record_write(&record, &bytes, NULL) == OK && !strstr(buf_text(&bytes), "critical"));
        CHECK(parse_text(buf_text(&bytes)) == OK);
}

TEST(record, refuses_statements_that_are_not_its_own)
{
        static const struct { const char *old, *new; } changes[] = {
                { "Statement/v1", "Statement/v2" }, { "lab-run/v1", "lab-run/v2" },
                { "\"edr-rules/4\"", "\"edr-rules\"" }, { "\"edr-rules/4\"", "\"edr-rules/04\"" }, { "\"edr-rules/4\"", "\"edr-rules/0\"" },
                { "\"edr-rules/4\"", "\"../4\"" }, { "\"edr-rules/4\"", "\"edr-rules/4/5\"" },
                { "{\"sha256\":\"" TARGET_A "\"}", "{\"sha256\":\"AA\"}" }, { "{\"sha256\":\"aaaa", "{\"sha256\":\"AAAA" },
                { "\"sha256\":\"" TARGET_A "\"", "\"sha512\":\"" TARGET_A "\"" },
                { "[{\"digest\"", "[{\"other\":1,\"digest\"" }, { "edr-rules/4\"}]", "edr-rules/4\"},{}]" },
                { "\"S4\"", "\"S\"" }, { "\"S4\"", "\"X4\"" }, { "\"S4\"", "\"S44\"" }, { "\"lab.acme\"", "\"lab+acme\"" }, { "\"lab.acme\"", "\"\"" },
                { "\"FAIL\"", "\"fail\"" }, { "\"FAIL\"", "\"GREAT\"" }, { "\"FAIL\"", "\"PASS\"" }, { "\"FAIL\"", "\"ERROR\"" },
                { "\"cases\":412", "\"cases\":0" }, { "\"cases\":412", "\"cases\":-1" }, { "\"cases\":412", "\"cases\":\"412\"" },
                { "\"cases\":412,", "" }, { "\"cases\":412", "\"cases\":412,\"cases\":412" }, { "\"cases\":412", "\"cases\":4.5" },
                { "\"started\":1784432000", "\"started\":1784432003" }, { "\"canary\":true,", "" }, { "\"canary\":true", "\"canary\":1" },
                { "\"version\":\"2.1\"", "\"version\":\"\"" }, { "\"critical\":true", "\"critical\":1" }, { "\"why\":\"rule", "\"why\":\"\\u0000" },
                { "\"why\":\"rule", "\"why\":\"\xff" }, { "\"corpus\":\"b", "\"corpus\":\"g" }, { "linux-amd64", "linux amd64" },
                { "\"why\":\"rule", "\"why\":\"\\t" }, { "\"version\":\"2.1\"", "\"version\":\"2\\n1\"" },
        };
        CHECK(parse_with("412", "412") == OK);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(parse_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
        CHECK(parse_text("") == ERR_SYNTAX && parse_text("[]") == ERR_SYNTAX && parse_text("{}") == ERR_SYNTAX);
}

TEST(record, is_not_written_when_it_would_not_be_read)
{
        OWN(buf) struct buf bytes;
        char text[RECORD_WHY_MAX + 2];
        buf_init(&bytes, 1 << 16);
        struct record record = test_record("lab.acme", "S4", RECORD_PASS);
        record.failed = 1;
        CHECK(record_write(&record, &bytes, NULL) == ERR_SYNTAX);
        record = test_record("lab.acme", "S4", RECORD_FAIL);
        record.log = NULL;
        CHECK(record_write(&record, &bytes, NULL) == ERR_SYNTAX);
        record = test_record("lab.acme", "S4", RECORD_FAIL);
        record.why = NULL;
        CHECK(record_write(&record, &bytes, NULL) == ERR_SYNTAX);
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        record.why = text;
        CHECK(record_write(&record, &bytes, NULL) == ERR_SYNTAX && !bytes.length);
        text[RECORD_WHY_MAX] = 0;
        CHECK(record_write(&record, &bytes, NULL) == OK);
}

static void seal(const char *origin, const char *stage, uint8_t key_number, struct buf *envelope)
{
        struct secret_key key = test_key(key_number);
        struct record record = test_record(origin, stage, RECORD_PASS);
        buf_clear(envelope);
        CHECK(record_sign(&record, &key, envelope, NULL) == OK);
}

TEST(record, is_believed_when_a_lab_signed_it_for_itself)
{
        OWN(buf) struct buf envelope;
        OWN(record) struct record record = { 0 };
        struct vkey labs[] = { test_vkey("lab.acme", 1), test_vkey("lab.bank", 2) };
        struct dsse_keys keys = { labs, 2 };
        buf_init(&envelope, DSSE_BYTES_MAX);
        seal("lab.bank", "S4", 2, &envelope);
        CHECK(record_open(&envelope, &keys, &record, NULL) == OK && strcmp(record.origin, "lab.bank") == 0);
}

TEST(record, is_not_believed_from_strangers_or_for_others)
{
        OWN(buf) struct buf envelope, statement;
        OWN(record) struct record record = { 0 };
        struct vkey labs[] = { test_vkey("lab.acme", 1), test_vkey("lab.bank", 2) };
        struct dsse_keys keys = { labs, 2 };
        struct secret_key bank = test_key(2);
        buf_init(&envelope, DSSE_BYTES_MAX);
        buf_init(&statement, DSSE_BYTES_MAX);
        seal("lab.acme", "S4", 9, &envelope);
        CHECK(record_open(&envelope, &keys, &record, NULL) == ERR_UNTRUSTED);
        struct record other = test_record("lab.acme", "S4", RECORD_PASS);
        CHECK(record_write(&other, &statement, NULL) == OK);
        buf_clear(&envelope);
        CHECK(dsse_sign(&statement, &labs[1], &bank, &envelope, NULL) == OK);
        CHECK(record_open(&envelope, &keys, &record, NULL) == ERR_UNTRUSTED);
}

TEST(record, is_whole_or_not_there_when_memory_is_short)
{
        struct vkey lab = test_vkey("lab.acme", 1);
        struct secret_key key = test_key(1);
        struct record made = test_record("lab.acme", "S4", RECORD_PASS);
        SWEEP_MEMORY {
                OWN(buf) struct buf envelope;
                OWN(record) struct record record = { 0 };
                buf_init(&envelope, DSSE_BYTES_MAX);
                enum err e = record_sign(&made, &key, &envelope, NULL);
                if (!e)
                        e = record_open(&envelope, &(struct dsse_keys){ &lab, 1 }, &record, NULL);
                CHECK(e ? e == ERR_NOMEM && !record.inside : record.status == RECORD_PASS);
        }
}
