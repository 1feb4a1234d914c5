// driver/ps.c - "pprof ps": the running programs that answer /debug/pprof/.
// Room: the table it prints; finding them is registry.c. Door: driver/driver.h.
#include "driver/driver.h"
#include "driver/registry.h"

#include <stdio.h>
#include <time.h>

static void put_time(struct buf *b, i64 seconds) {
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[32] = "-";
    if (seconds > 0 && localtime_r(&t, &tm)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_pad(b, str_of(text), -20);
}

int driver_ps(int argc, char *const *argv, const struct driver_pages *pages, const struct ui *ui) {
    (void)pages;
    (void)argv;
    if (argc > 1) {
        ui_say(ui, "usage: pprof ps\n  Lists the running programs that answer /debug/pprof/.");
        return EXIT_ERROR;
    }
    AUTO_ARENA struct arena arena = {0};
    struct running_list list;
    registry_list(&arena, &list);
    struct buf b = buf_new(&arena, (size_t)1 << 24);
    buf_put(&b, S("    PID    PPID ADDRESS                  STARTED              PROGRAM\n"));
    for (size_t i = 0; i < list.n; i++) {
        buf_printf(&b, "%7d %7lld ", list.items[i].pid, (long long)list.items[i].parent);
        buf_pad(&b, list.items[i].address.len ? list.items[i].address : S("-"), -24);
        buf_byte(&b, ' ');
        put_time(&b, list.items[i].started_s);
        buf_put(&b, list.items[i].program);
        if (list.items[i].state.len) buf_printf(&b, " (" S_FMT ")", S_ARG(list.items[i].state));
        buf_byte(&b, '\n');
    }
    str text = buf_str(&b);
    fwrite(text.p, 1, text.len, stdout);
    return fflush(stdout) == 0 ? 0 : EXIT_ERROR;
}
