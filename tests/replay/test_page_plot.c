#include "replay/page_plot.h"

#include "replay/page_html.h"
#include "replay/xml.h"
#include "support/sweep.h"

#include <math.h>

static const char *escaped(const char *text, struct buf *into)
{
        buf_clear(into);
        page_escape(text, into);
        return buf_text(into);
}

TEST(page_escape, lets_no_text_become_markup)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        CHECK(strcmp(escaped("a<b>&\"'c", &text), "a&lt;b&gt;&amp;&quot;&#39;c") == 0);
        CHECK(strcmp(escaped("gr\u00fcn\t\n", &text), "gr\u00fcn\t\n") == 0);
        CHECK(strcmp(escaped("a\x01" "b\x1b[31m\x7f", &text), "a\ufffdb\ufffd[31m\ufffd") == 0);
        CHECK(strcmp(escaped("\xff\xc0\x80", &text), "\ufffd\ufffd\ufffd") == 0 && strcmp(escaped("\xef\xbf\xbe", &text), "\ufffd") == 0);
        CHECK(strcmp(escaped("", &text), "") == 0 && strcmp(escaped(NULL, &text), "") == 0);
}

TEST(page_tenths, are_written_in_no_locale)
{
        static const struct { double value; const char *text; } cases[] = { { 0, "0" }, { 1.04, "1" }, { 1.05001, "1.1" }, { -0.5, "-0.5" }, { 420, "420" } };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf text;
                buf_init(&text, 64);
                page_tenths(&text, cases[i].value);
                CHECK(strcmp(buf_text(&text), cases[i].text) == 0);
        }
}

static const struct plot empty = { .id = "p", .title = "T <1>", .about = "a & b", .x = { .title = "x", .unit = PLOT_SECONDS, .is_log = true },
                                   .y = { .unit = PLOT_COUNT, .is_log = true } };

static const char *written(const struct plot *plot, struct buf *into)
{
        buf_clear(into);
        plot_write(plot, into);
        CHECK(buf_check(into, NULL) == OK && xml_is_whole(buf_text(into)));
        CHECK(!strstr(buf_text(into), "nan") && !strstr(buf_text(into), "inf") && !strstr(buf_text(into), "e+"));
        return buf_text(into);
}

static unsigned count_of(const char *text, const char *part)
{
        unsigned count = 0;
        for (const char *at = text; (at = strstr(at, part)); at++)
                count++;
        return count;
}

TEST(plot, has_axes_and_a_title_even_when_it_has_no_line)
{
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        const char *svg = written(&empty, &text);
        CHECK(strstr(svg, "<title id=\"p-title\">T &lt;1&gt;</title><desc id=\"p-about\">a &amp; b</desc>") && strstr(svg, "aria-labelledby=\"p-title p-about\""));
        CHECK(!strstr(svg, "class=\"line") && count_of(svg, "class=\"grid\"") >= 2);
}

TEST(plot, takes_a_line_without_points_and_one_of_a_single_point)
{
        const struct plot_xy point = { 0, 0 };
        const struct plot_line lines[] = { { 0, &point, 1 }, { 1, NULL, 0 } };
        struct plot plot = empty;
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        plot.lines = lines;
        plot.line_count = 2;
        CHECK(strstr(written(&plot, &text), "<path class=\"line l0\" d=\"M62 234\"/>") && !strstr(buf_text(&text), "l1"));
}

/* What a run could never give, and what could: all of it lies within the drawing. */
TEST(plot, keeps_numbers_of_any_size_within_its_edges)
{
        static const struct plot_xy points[] = { { 0, -1 }, { 60, 1e300 }, { 1e18, NAN }, { INFINITY, INFINITY }, { NAN, 5 } };
        const struct plot_line line = { 3, points, 5 };
        const struct plot_mark mark = { PLOT_STOP, 3, { INFINITY, 1e300 }, "far" };
        for (unsigned way = 0; way < 4; way++) {
                struct plot plot = empty;
                OWN(buf) struct buf text;
                buf_init(&text, 1 << 20);
                plot.lines = &line;
                plot.marks = &mark;
                plot.line_count = plot.mark_count = 1;
                plot.x.is_log = way & 1;
                plot.y.is_log = way & 2;
                plot.y.max = way == 3 ? 1e250 : 0;
                const char *path = strstr(written(&plot, &text), "class=\"line l3\" d=\"M");
                CHECK(path);
                for (const char *at = path + 18; *at != '"';) {
                        char *end = NULL;
                        double x = strtod(at + 1, &end), y = strtod(end, &end);
                        CHECK(x >= 62 && x <= 406 && y >= 12 && y <= 234);
                        at = end;
                }
        }
}

TEST(plot, writes_times_and_counts_as_people_do)
{
        static const struct plot_xy points[] = { { 0, 0 }, { 345600, 3000000 } };
        const struct plot_line line = { 0, points, 2 };
        struct plot plot = empty;
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        plot.lines = &line;
        plot.line_count = 1;
        const char *svg = written(&plot, &text);
        CHECK(strstr(svg, ">5 min<") && strstr(svg, ">4 h<") && strstr(svg, ">2 d<") && strstr(svg, ">10k<") && strstr(svg, ">1M<"));
        plot.x.is_log = plot.y.is_log = false;
        svg = written(&plot, &text);
        CHECK(strstr(svg, ">1 d<") && strstr(svg, ">1M<") && strstr(svg, ">3M<"));
}

TEST(plot, marks_where_a_line_ended_and_says_of_whom_it_is)
{
        static const struct plot_mark marks[] = { { PLOT_STOP, 1, { 60, 2 }, "<rings>" }, { PLOT_COMPLETE, 9, { 90, 2 }, NULL }, { PLOT_DOT, 0, { 1, 1 }, NULL } };
        struct plot plot = empty;
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        plot.marks = marks;
        plot.mark_count = 3;
        const char *svg = written(&plot, &text);
        CHECK(strstr(svg, "<g class=\"stop l1\"><title>&lt;rings&gt;</title><path") && strstr(svg, "<g class=\"done l1\"><circle") && strstr(svg, "<g class=\"dot l0\"><circle"));
}

TEST(plot, says_so_when_it_has_no_room)
{
        for (size_t room = 0; room < 2000; room += 100) {
                OWN(buf) struct buf text;
                buf_init(&text, room);
                plot_write(&empty, &text);
                CHECK(buf_check(&text, NULL) == ERR_LIMIT || text.length > 500);
        }
        SWEEP_MEMORY {
                OWN(buf) struct buf text;
                buf_init(&text, 1 << 20);
                plot_write(&empty, &text);
                CHECK(buf_check(&text, NULL) == OK || buf_check(&text, NULL) == ERR_NOMEM);
        }
}
