#include "replay/page_plot.h"

#include "replay/page_html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the drawing, in units that are pixels on a screen of 420: letters of 13 stay readable on a phone. */
enum { WIDTH = 420, HEIGHT = 280, LEFT = 62, RIGHT = 14, TOP = 12, BOTTOM = 46, LETTER = 7, MARK = 5 };
enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
static const double number_max = 1e15;           /* beyond it nobody reads figures */

static double tame(double value)
{
        return value > 0 ? fmin(value, number_max) : 0;      /* a NaN is not above 0 */
}

static double on_scale(const struct plot_axis *axis, double value)
{
        value = fmin(tame(value), axis->max);
        return axis->is_log ? log1p(axis->unit == PLOT_SECONDS ? value / MINUTE : value) : value;
}

static double x_of(const struct plot *plot, double value)
{
        return LEFT + (WIDTH - LEFT - RIGHT) * on_scale(&plot->x, value) / on_scale(&plot->x, plot->x.max);
}

static double y_of(const struct plot *plot, double value)
{
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * on_scale(&plot->y, value) / on_scale(&plot->y, plot->y.max);
}

static void find_max(struct plot *plot)
{
        double x = 0, y = plot->rule;
        for (size_t i = 0; i < plot->line_count; i++)
                for (size_t p = 0; p < plot->lines[i].count; p++) {
                        x = fmax(x, tame(plot->lines[i].points[p].x));
                        y = fmax(y, tame(plot->lines[i].points[p].y));
                }
        for (size_t i = 0; i < plot->mark_count; i++) {
                x = fmax(x, tame(plot->marks[i].at.x));
                y = fmax(y, tame(plot->marks[i].at.y));
        }
        plot->x.max = plot->x.max > 0 ? tame(plot->x.max) : fmax(x, 1);
        plot->y.max = plot->y.max > 0 ? tame(plot->y.max) : fmax(y * (plot->y.is_log ? 1.3 : 1.06), 4);
}

static void add_short_count(struct buf *into, double value)
{
        static const struct { double unit; const char *name; } units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (value >= units[i].unit) {
                        page_tenths(into, value / units[i].unit);
                        buf_add_text(into, units[i].name);
                        return;
                }
        page_tenths(into, value);
}

static void add_tick_text(struct buf *into, const struct plot_axis *axis, double value)
{
        if (axis->unit == PLOT_COUNT)
                add_short_count(into, value);
        else if (value <= 0)
                buf_add_text(into, "0");
        else if (value < HOUR)
                buf_addf(into, "%" PRId64 " min", (int64_t)value / MINUTE);
        else if (value < DAY)
                buf_addf(into, "%" PRId64 " h", (int64_t)value / HOUR);
        else
                buf_addf(into, "%" PRId64 " d", (int64_t)value / DAY);
}

/* At a place of the axis: `at` in the drawing, with its line across and its figure. */
static void add_x_tick(const struct plot *plot, double value, struct buf *into)
{
        double at = x_of(plot, value);
        buf_add_text(into, "<path class=\"grid\" d=\"M");
        page_tenths(into, at);
        buf_addf(into, " %dV%d\"/><text text-anchor=\"%s\" x=\"", TOP, HEIGHT - BOTTOM, at > WIDTH - RIGHT - 12 ? "end" : "middle");
        page_tenths(into, at > WIDTH - RIGHT - 12 ? WIDTH - 2 : at);
        buf_addf(into, "\" y=\"%d\">", HEIGHT - BOTTOM + 17);
        add_tick_text(into, &plot->x, value);
        buf_add_text(into, "</text>\n");
}

static void add_y_tick(const struct plot *plot, double value, struct buf *into)
{
        double at = y_of(plot, value);
        buf_addf(into, "<path class=\"grid\" d=\"M%d ", LEFT);
        page_tenths(into, at);
        buf_addf(into, "H%d\"/><text text-anchor=\"end\" x=\"%d\" y=\"", WIDTH - RIGHT, LEFT - 6);
        page_tenths(into, at + 4.5);
        buf_add_text(into, "\">");
        add_tick_text(into, &plot->y, value);
        buf_add_text(into, "</text>\n");
}

static double tick_width(const struct plot_axis *axis, double value)
{
        OWN(buf) struct buf text;
        buf_init(&text, 64);
        add_tick_text(&text, axis, value);
        return (double)text.length * LETTER + 10;
}

/* Those of `ticks` that are in sight and far enough from the one before. */
static void add_some_ticks(const struct plot *plot, bool is_x, const int64_t *ticks, size_t count, struct buf *into)
{
        const struct plot_axis *axis = is_x ? &plot->x : &plot->y;
        double last = -1e9, last_width = 0;
        for (size_t i = 0; i < count && (double)ticks[i] <= axis->max; i++) {
                double value = (double)ticks[i], at = is_x ? x_of(plot, value) : -y_of(plot, value), width = is_x ? tick_width(axis, value) : 18;
                if (at - last < (width + last_width) / 2)
                        continue;
                (is_x ? add_x_tick : add_y_tick)(plot, value, into);
                last = at;
                last_width = width;
        }
}

enum { TICKS_MAX = 20 };

static size_t choose_seconds(const struct plot_axis *axis, int64_t ticks[static TICKS_MAX])
{
        static const int64_t logarithmic[] = { 0, 60, 300, 900, 3600, 14400, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000, 7776000, 31536000 };
        static const int64_t steps[] = { 60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 1814400, 31536000, 315360000 };
        size_t count = 0, step = 0;
        if (axis->is_log) {
                memcpy(ticks, logarithmic, sizeof(logarithmic));
                return sizeof(logarithmic) / sizeof(logarithmic[0]);
        }
        while (step + 1 < sizeof(steps) / sizeof(steps[0]) && axis->max / (double)steps[step] > 5)
                step++;
        for (; count < TICKS_MAX && (double)(count * steps[step]) <= axis->max; count++)
                ticks[count] = (int64_t)count * steps[step];
        return count;
}

static size_t choose_counts(const struct plot_axis *axis, int64_t ticks[static TICKS_MAX])
{
        size_t count = 0;
        if (axis->is_log) {
                int64_t factor = axis->max > 1e8 ? 1000 : axis->max > 1e6 ? 100 : 10, value = 1;
                ticks[count++] = 0;
                for (; count < TICKS_MAX && (double)value <= axis->max; value *= factor)
                        ticks[count++] = value;
                return count;
        }
        int64_t step = 1;
        for (unsigned i = 0; axis->max / (double)step > 5; i++)
                step = i % 3 == 1 ? step / 2 * 5 : step * 2;      /* 1, 2, 5, 10, 20, 50, ... */
        for (; count < TICKS_MAX && (double)(count * step) <= axis->max; count++)
                ticks[count] = (int64_t)count * step;
        return count;
}

static void add_axis(const struct plot *plot, bool is_x, struct buf *into)
{
        const struct plot_axis *axis = is_x ? &plot->x : &plot->y;
        int64_t chosen[TICKS_MAX];
        size_t count = axis->tick_count;
        if (!axis->ticks)
                count = axis->unit == PLOT_SECONDS ? choose_seconds(axis, chosen) : choose_counts(axis, chosen);
        add_some_ticks(plot, is_x, axis->ticks ? axis->ticks : chosen, count, into);
}

static void add_axes(const struct plot *plot, struct buf *into)
{
        add_axis(plot, false, into);
        add_axis(plot, true, into);
        buf_addf(into, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n<text class=\"name\" text-anchor=\"middle\" x=\"%d\" y=\"%d\">", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT,
                 (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
        page_escape(plot->x.title, into);
        buf_add_text(into, "</text>\n");
        if (plot->rule <= 0)
                return;
        buf_addf(into, "<path class=\"rule\" d=\"M%d ", LEFT);
        page_tenths(into, y_of(plot, plot->rule));
        buf_addf(into, "H%d\"/><text class=\"name\" text-anchor=\"end\" x=\"%d\" y=\"", WIDTH - RIGHT, WIDTH - RIGHT - 2);
        page_tenths(into, y_of(plot, plot->rule) - 4);
        buf_add_text(into, "\">");
        page_escape(plot->rule_text, into);
        buf_add_text(into, "</text>\n");
}

static void add_line(const struct plot *plot, const struct plot_line *line, struct buf *into)
{
        if (!line->count)
                return;
        buf_addf(into, "<path class=\"line l%u\" d=\"", line->style % PLOT_STYLES);
        long last_x = -1, last_y = -1;
        for (size_t i = 0; i < line->count; i++) {
                double x = x_of(plot, line->points[i].x), y = y_of(plot, line->points[i].y);
                if (i && lround(x * 10) == last_x && lround(y * 10) == last_y)
                        continue;
                buf_add_text(into, i ? "L" : "M");
                page_tenths(into, x);
                buf_add_text(into, " ");
                page_tenths(into, y);
                last_x = lround(x * 10);
                last_y = lround(y * 10);
        }
        buf_add_text(into, "\"/>\n");
}

static void add_sign(enum plot_sign sign, double x, double y, struct buf *into)
{
        if (sign == PLOT_STOP) {
                buf_add_text(into, "<path d=\"M");
                page_tenths(into, x - MARK);
                buf_add_text(into, " ");
                page_tenths(into, y - MARK);
                buf_addf(into, "h%dv%dh-%dz\"/>", 2 * MARK, 2 * MARK, 2 * MARK);
                return;
        }
        buf_add_text(into, "<circle cx=\"");
        page_tenths(into, x);
        buf_add_text(into, "\" cy=\"");
        page_tenths(into, y);
        buf_addf(into, "\" r=\"%d\"/>", sign == PLOT_COMPLETE ? MARK : MARK - 1);
}

static const char *const sign_classes[] = { [PLOT_STOP] = "stop", [PLOT_COMPLETE] = "done", [PLOT_DOT] = "dot" };

static void add_mark(const struct plot *plot, const struct plot_mark *mark, struct buf *into)
{
        buf_addf(into, "<g class=\"%s l%u\">", sign_classes[mark->sign], mark->style % PLOT_STYLES);
        if (mark->text) {
                buf_add_text(into, "<title>");
                page_escape(mark->text, into);
                buf_add_text(into, "</title>");
        }
        add_sign(mark->sign, x_of(plot, mark->at.x), y_of(plot, mark->at.y), into);
        buf_add_text(into, "</g>\n");
}

void plot_write(const struct plot *given, struct buf *into)
{
        struct plot plot = *given;
        find_max(&plot);
        buf_addf(into, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-title %s-about\">\n", WIDTH, HEIGHT,
                 plot.id, plot.id);
        buf_addf(into, "<title id=\"%s-title\">", plot.id);
        page_escape(plot.title, into);
        buf_addf(into, "</title><desc id=\"%s-about\">", plot.id);
        page_escape(plot.about, into);
        buf_add_text(into, "</desc>\n");
        add_axes(&plot, into);
        for (size_t i = plot.line_count; i-- > 0;)      /* the first line lies on top */
                add_line(&plot, &plot.lines[i], into);
        for (size_t i = plot.mark_count; i-- > 0;)
                add_mark(&plot, &plot.marks[i], into);
        buf_add_text(into, "</svg>\n");
}

void plot_sample(enum plot_sign sign, unsigned style, struct buf *into)
{
        buf_addf(into, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sample\" viewBox=\"0 0 16 14\" aria-hidden=\"true\"><g class=\"%s l%u\">", sign_classes[sign],
                 style % PLOT_STYLES);
        add_sign(sign, 8, 7, into);
        buf_add_text(into, "</g></svg>");
}

void plot_line_sample(unsigned style, struct buf *into)
{
        buf_addf(into, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sample wide\" viewBox=\"0 0 32 14\" aria-hidden=\"true\"><path class=\"line l%u\" d=\"M1 7H31\"/></svg>",
                 style % PLOT_STYLES);
}
