// driver/ui.c - what pprof says to people, on standard error.
// Room: see ui.h. Door: driver/driver.h.
#include "driver/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ui ui_of_process(void) {
    const char *term = getenv("TERM");
    bool is_dumb = !term || !*term || !strcmp(term, "dumb");
    return (struct ui){
        .is_terminal = isatty(STDOUT_FILENO) == 1,
        .is_colored = !is_dumb && isatty(STDERR_FILENO) == 1,
    };
}

PRINTF_LIKE(2, 0)
static void put_line(const char *before, const char *fmt, va_list args, const char *after) {
    char text[4096]; // URLs with the answers of their servers; longer ones are cut
    int len = vsnprintf(text, sizeof text, fmt, args);
    if (len < 0) return;
    size_t n = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    while (n && text[n - 1] == '\n') n--;
    // One call, so that lines of several processes do not mix.
    fprintf(stderr, "%s%.*s%s\n", before, (int)n, text, after);
}

void ui_say(const struct ui *ui, const char *fmt, ...) {
    (void)ui;
    va_list args;
    va_start(args, fmt);
    put_line("", fmt, args, "");
    va_end(args);
}

void ui_error(const struct ui *ui, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    put_line(ui->is_colored ? "\033[0;31m" : "", fmt, args, ui->is_colored ? "\033[0m" : "");
    va_end(args);
    if (!ui->heard) return;
    char text[ERR_TEXT_CAP];
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_put(ui->heard, str_of(text));
    buf_byte(ui->heard, '\n');
}

void ui_text(const struct ui *ui, str text) {
    (void)ui;
    fwrite(text.p, 1, text.len, stderr);
    if (text.len && text.p[text.len - 1] != '\n') fputc('\n', stderr);
}

void ui_progress(const struct ui *ui, const char *what, double part) {
    (void)ui;
    fprintf(stderr, "\r%s: %d%%%s", what, (int)(part * 100), part >= 1 ? "\r\033[K" : "");
}
