#include "cli/bar.h"

#include "platform/clock.h"

enum { REDRAW_MS = 100, WIDTH = 30 };

void bar_draw(struct bar *bar, double done, const char *what)
{
        struct clock *clock = bar->cli->clock;
        int64_t now_ms = clock->ops->steady_ms(clock);
        if (!bar->cli->is_err_live || (bar->drawn_ms && now_ms - bar->drawn_ms < REDRAW_MS))
                return;
        bar->drawn_ms = now_ms ? now_ms : 1;
        char text[160];
        int full = done < 0 ? 0 : done > 1 ? WIDTH : (int)(done * WIDTH);
        int used = snprintf(text, sizeof(text), "[%.*s%.*s] %3d %%  %.100s", full, "##############################", WIDTH - full,
                            "..............................", (int)(done * 100), what);
        unsigned room = bar->cli->columns > 1 ? bar->cli->columns - 1 : 79;
        fprintf(bar->cli->err, "\r\x1b[K%.*s", used < (int)room ? used : (int)room, text);
        fflush(bar->cli->err);
}

void bar_wipe(struct bar *bar)
{
        if (bar->drawn_ms)
                fputs("\r\x1b[K", bar->cli->err);
        bar->drawn_ms = 0;
}
