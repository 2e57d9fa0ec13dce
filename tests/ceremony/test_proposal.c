#include "ceremony/proposal.h"

#include "ceremony/files.h"
#include "support/sweep.h"

static void make(struct proposal *proposal)
{
        files_make(proposal);
        buf_add_text(&proposal->papers[PAPER_RELEASE_ANCHOR].text, "a \"text\"\nof lines\n");
        buf_add_text(&proposal->papers[PAPER_SNAPSHOT].text, "{\"a\":1}");
}

static enum err read_back(const struct proposal *proposal, struct proposal *ret_proposal)
{
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_PROPOSAL_BYTES);
        proposal_init(ret_proposal);
        CHECK(proposal_write(proposal, &file, NULL) == OK);
        return proposal_read(buf_text(&file), file.length, ret_proposal, NULL);
}

TEST(proposal, comes_back_with_its_signatures)
{
        OWN(proposal) struct proposal proposal, read;
        make(&proposal);
        CHECK(files_sign(&proposal, PAPER_SNAPSHOT, 7) == OK && files_sign(&proposal, PAPER_SNAPSHOT, 8) == OK && files_sign(&proposal, PAPER_SNAPSHOT, 7) == OK);
        CHECK(read_back(&proposal, &read) == OK);
        for (enum paper paper = 0; paper < PAPERS; paper++)
                CHECK(buf_equal(&proposal.papers[paper].before, &read.papers[paper].before) && buf_equal(&proposal.papers[paper].text, &read.papers[paper].text));
        const struct public_key seven = test_key(7).public, nine = test_key(9).public;
        CHECK(read.papers[PAPER_SNAPSHOT].count == 2 && proposal_has(&read, PAPER_SNAPSHOT, &seven));
        CHECK(!proposal_has(&read, PAPER_SNAPSHOT, &nine) && !proposal_has(&read, PAPER_TARGETS, &seven));
}

TEST(proposal, takes_no_signature_that_does_not_fit)
{
        OWN(proposal) struct proposal proposal;
        make(&proposal);
        const struct secret_key key = test_key(7);
        struct paper_signature signature = { .key = key.public };
        key_sign(&key, "other", 5, signature.signature);
        CHECK(proposal_add(&proposal, PAPER_SNAPSHOT, &signature, NULL) == ERR_UNTRUSTED && !proposal.papers[PAPER_SNAPSHOT].count);
}

TEST(proposal, is_merged_with_copies_of_itself_only)
{
        OWN(proposal) struct proposal one, other, strange;
        make(&one);
        make(&other);
        make(&strange);
        CHECK(files_sign(&one, PAPER_SNAPSHOT, 7) == OK && files_sign(&other, PAPER_SNAPSHOT, 8) == OK && files_sign(&other, PAPER_SNAPSHOT, 7) == OK);
        CHECK(proposal_merge(&one, &other, NULL) == OK && one.papers[PAPER_SNAPSHOT].count == 2);
        buf_add_text(&strange.papers[PAPER_SNAPSHOT].text, " ");
        CHECK(files_sign(&strange, PAPER_SNAPSHOT, 9) == OK);
        CHECK(proposal_merge(&one, &strange, NULL) == ERR_REFUSED && one.papers[PAPER_SNAPSHOT].count == 2);
        buf_add_text(&other.papers[PAPER_TARGETS].before, " ");
        CHECK(proposal_merge(&one, &other, NULL) == ERR_REFUSED);
}

/* The file with one piece replaced. */
static enum err read_with(const char *old, const char *new)
{
        OWN(proposal) struct proposal proposal, read;
        OWN(buf) struct buf file, changed;
        make(&proposal);
        proposal_init(&read);
        CHECK(files_sign(&proposal, PAPER_SNAPSHOT, 7) == OK);
        buf_init(&file, LIMIT_PROPOSAL_BYTES);
        buf_init(&changed, LIMIT_PROPOSAL_BYTES);
        CHECK(proposal_write(&proposal, &file, NULL) == OK);
        const char *at = strstr(buf_text(&file), old);
        CHECK(at);
        buf_addf(&changed, "%.*s", (int)(at - file.bytes), file.bytes);
        buf_add_text(&changed, new);
        buf_add_text(&changed, at + strlen(old));
        return proposal_read(buf_text(&changed), changed.length, &read, NULL);
}

TEST(proposal, is_read_strictly)
{
        static const struct { const char *old, *new; enum err e; } cases[] = {
                { "firebreak proposal v1", "firebreak proposal v2", ERR_SYNTAX }, { "\"targets.json\"", "\"Targets.json\"", ERR_SYNTAX },
                { "\"before\"", "\"after\"", ERR_SYNTAX },                        { "\"signatures\": []", "\"signatures\": {}", ERR_SYNTAX },
                { "{\\\"a\\\":1}", "{\\\"a\\\":2}", ERR_UNTRUSTED },              { "\"sig\": \"", "\"sig\": \"00", ERR_SYNTAX },
                { "\"key\": \"", "\"key\": \"zz", ERR_SYNTAX },                   { "\"type\"", "\"more\": 1, \"type\"", ERR_SYNTAX },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(read_with(cases[i].old, cases[i].new) == cases[i].e);
        OWN(proposal) struct proposal read;
        proposal_init(&read);
        CHECK(proposal_read("", 0, &read, NULL) == ERR_SYNTAX && proposal_read("[]", 2, &read, NULL) == ERR_SYNTAX);
}

TEST(proposal, survives_a_lack_of_memory)
{
        OWN(proposal) struct proposal proposal;
        OWN(buf) struct buf file;
        make(&proposal);
        buf_init(&file, LIMIT_PROPOSAL_BYTES);
        CHECK(files_sign(&proposal, PAPER_SNAPSHOT, 7) == OK && proposal_write(&proposal, &file, NULL) == OK);
        SWEEP_MEMORY {
                OWN(proposal) struct proposal read;
                OWN(buf) struct buf again;
                proposal_init(&read);
                buf_init(&again, LIMIT_PROPOSAL_BYTES);
                enum err e = proposal_read(buf_text(&file), file.length, &read, NULL);
                if (!e)
                        e = proposal_write(&read, &again, NULL);
                CHECK(e == ERR_NOMEM || (e == OK && buf_equal(&file, &again)));
        }
}
