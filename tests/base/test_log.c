#include "base/log.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

static int64_t at_noon(void *user) { return *(int64_t *)user; }

/* A log that writes to memory. */
struct book {
        struct log log;
        int64_t now;
        char text[3 * LOG_LINE_BYTES];
};

static void book_open(struct book *book, const char *setting)
{
        memset(book, 0, sizeof(*book));
        book->now = 1784432140123;
        log_init(&book->log, at_noon, &book->now);
        CHECK(log_configure(&book->log, setting, NULL) == OK);
        book->log.to = fmemopen(book->text, sizeof(book->text), "w");
        CHECK(book->log.to);
}

static bool says(struct book *book, const char *expected)
{
        fclose(book->log.to);
        return strcmp(book->text, expected) == 0;
}

TEST(log, writes_a_line_that_people_can_read)
{
        struct book book;
        book_open(&book, NULL);
        LOG(&book.log, EVENT_STARTED, log_text("version", "0.1.0"), log_int("port", -8443), log_text("empty", ""), log_text("none", NULL));
        LOG(&book.log, EVENT_STOPPED);
        CHECK(says(&book, "2026-07-19T03:35:40.123Z level=info event=started version=0.1.0 port=-8443 empty=\"\" none=\"\"\n"
                          "2026-07-19T03:35:40.123Z level=info event=stopped\n"));
}

TEST(log, writes_json_for_machines)
{
        struct book book;
        book_open(&book, "json,debug");
        book.log.from = "api";
        LOG(&book.log, EVENT_STARTED, log_text("listen", "[::1]:8443"), log_int("port", 1));
        CHECK(says(&book, "{\"time\":\"2026-07-19T03:35:40.123Z\",\"level\":\"info\",\"event\":\"started\",\"from\":\"api\","
                          "\"listen\":\"[::1]:8443\",\"port\":1}\n"));
}

TEST(log, lets_no_value_pass_for_another_line_or_field)
{
        struct book book;
        book_open(&book, NULL);
        LOG(&book.log, EVENT_STARTED, log_text("a", "x\nlevel=error"), log_text("b", "x y"), log_text("c", "k=v"), log_text("d", "\"q\""),
            log_text("e", "\x1B[2J"), log_text("f", "\xC3\xA9\xFF"), log_text("g", "\\"));
        CHECK(says(&book, "2026-07-19T03:35:40.123Z level=info event=started a=\"x\\nlevel=error\" b=\"x y\" c=\"k=v\" d=\"\\\"q\\\"\" "
                          "e=\"\\u001b[2J\" f=\"\xC3\xA9\xEF\xBF\xBD\" g=\"\\\\\"\n"));
}

TEST(log, says_why_something_failed)
{
        struct book book;
        book_open(&book, "error");
        struct why why;
        enum err e = FAIL(&why, ERR_BUSY, "slot b is mounted");
        e = DURING(&why, e, "installing 7");
        why.line = 7;
        CHECK(e == ERR_BUSY);
        LOG_WHY(&book.log, EVENT_FAILED, &why, log_int("counter", 7));
        LOG_WHY(&book.log, EVENT_STARTED, &why);
        CHECK(says(&book, "2026-07-19T03:35:40.123Z level=error event=failed code=BUSY why=\"installing 7: slot b is mounted\" "
                          "at=test_log.c:7 counter=7\n"));
}

TEST(log, keeps_what_is_below_its_level_to_itself)
{
        struct book book;
        book_open(&book, "warning");
        LOG(&book.log, EVENT_STARTED);
        LOG(NULL, EVENT_FAILED);
        CHECK(says(&book, ""));
}

TEST(log, leaves_out_what_does_not_fit_and_says_so)
{
        for (int is_json = 0; is_json < 2; is_json++) {
                struct book book;
                char large[LOG_LINE_BYTES + 100], nearly[LOG_LINE_BYTES - 200];
                memset(large, 'x', sizeof(large) - 1);
                memset(nearly, 'y', sizeof(nearly) - 1);
                large[sizeof(large) - 1] = nearly[sizeof(nearly) - 1] = 0;
                book_open(&book, is_json ? "json" : "text");
                LOG(&book.log, EVENT_STARTED, log_text("large", large), log_text("small", "s"), log_text("nearly", nearly), log_text("late", nearly));
                fclose(book.log.to);
                CHECK(strlen(book.text) <= LOG_LINE_BYTES && !strchr(book.text, 'x'));
                CHECK(strstr(book.text, is_json ? ",\"small\":\"s\",\"nearly\":\"yyy" : " small=s nearly=yyy") && !strstr(book.text, "late"));
                const char *end = is_json ? ",\"cut\":1}\n" : " cut=1\n";
                CHECK(strcmp(book.text + strlen(book.text) - strlen(end), end) == 0);
        }
}

TEST(log, needs_no_memory)
{
        struct book book;
        book_open(&book, NULL);
        unsigned runs = 0;
        SWEEP_MEMORY {
                LOG(&book.log, EVENT_STARTED, log_text("a", "x y"));
                runs++;
        }
        fclose(book.log.to);
        CHECK(runs == 1);
}

TEST(log_configure, names_the_word_that_is_wrong)
{
        int64_t now = 0;
        struct log log;
        struct why why;
        log_init(&log, at_noon, &now);
        CHECK(log_configure(&log, "json,loud", &why) == ERR_USAGE);
        CHECK(strcmp(why.text, "log: `loud` is not debug, info, warning, error, json or text") == 0);
        CHECK(log_configure(&log, "Debug", NULL) == ERR_USAGE && log_configure(&log, ",", NULL) == ERR_USAGE);
        CHECK(log_configure(&log, "", NULL) == OK && log_configure(&log, NULL, NULL) == OK);
        CHECK(log_configure(&log, "text,error", NULL) == OK && !log.is_json && log.least == LOG_LEVEL_ERROR);
}

TEST(events, say_what_they_mean)
{
        for (int i = 0; i < EVENTS; i++)
                CHECK(strlen(log_event_text((enum log_event)i)) > 10);
}
