// driver/output.c - where the bytes of a report go.
// Room: see output.h. Door: driver/driver.h. Programs are started in spawn.c, pictures in
// picture.c.
#include "driver/output.h"

#include "driver/files.h"
#include "driver/picture.h"
#include "driver/pipeline.h"
#include "driver/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 64 << 10,       // written at once: one pipe's capacity
    MAX_MESSAGE_BYTES = 64 << 10, // what one report can have to say
};
// Pictures and viewers' files are held in memory before another program gets them; dot itself gives
// up on graphs far smaller than this.
#define MAX_HELD_BYTES ((size_t)1 << 30)

void shown_files_remove(struct shown_files *files) {
    for (size_t i = 0; i < files->n; i++) unlink(str_z(files->arena, files->paths[i]));
    files->n = 0;
}

// A file or standard output, opened when the first bytes come: a report that fails leaves no file.
struct outlet {
    struct arena *scratch;
    const struct report_order *order;
    const struct ui *ui;
    int fd; // -1: not yet open
    struct err err;
};

static bool outlet_open_named(struct outlet *o, str path) {
    ui_error(o->ui, "Generating report in " S_FMT, S_ARG(path));
    const char *z = str_z(o->scratch, path);
    o->fd = open(z, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return o->fd >= 0 || err_sys(&o->err, "open %s", z);
}

static bool outlet_open(struct outlet *o) {
    if (o->fd >= 0) return true;
    str output = o->order->options->driver.output;
    const struct command *c = o->order->command;
    if (output.len) return outlet_open_named(o, output);
    bool is_away = c->dest == DEST_AWAY && (o->ui->is_terminal || o->ui->is_shell);
    if (!is_away) {
        o->fd = STDOUT_FILENO;
        return true;
    }
    str path, parts[] = {S("."), c->suffix}, suffix = str_join(o->scratch, parts, 2, S(""));
    if (!file_create_numbered(o->scratch, S(""), S("profile"), suffix, &path, &o->fd, &o->err))
        return false;
    ui_error(o->ui, "Generating report in " S_FMT, S_ARG(path));
    return true;
}

static bool outlet_write(void *to, str bytes) {
    struct outlet *o = to;
    return !o->err.code && outlet_open(o) && file_write(o->fd, bytes, &o->err);
}

static void outlet_close(struct outlet *o) {
    if (o->fd > STDERR_FILENO) close(o->fd);
    o->fd = -1;
}

static bool make_report(struct arena *scratch, const struct profile *p,
                        const struct report_order *order, const struct ui *ui, struct buf *to,
                        struct err *err) {
    struct report_request request = {
        .kind = order->command->kind,
        .form = order->form,
        .options = order->options,
        .regex = order->arg,
        .has_regex = order->command->arg == ARG_REGEXP,
    };
    struct buf messages = buf_new(scratch, MAX_MESSAGE_BYTES);
    bool is_ok = pipeline_report(scratch, p, &request, to, &messages, err);
    str left = buf_str(&messages), line;
    while (left.len) {
        str_cut(left, '\n', &line, &left);
        if (line.len) ui_error(ui, S_FMT, S_ARG(line));
    }
    return is_ok;
}

// Text and other reports whose bytes are final: they leave as they are made.
static bool report_stream(struct arena *scratch, const struct profile *p, struct outlet *o,
                          struct err *err) {
    struct buf to = buf_to_sink(scratch, CHUNK_BYTES, outlet_write, o);
    bool is_ok = make_report(scratch, p, o->order, o->ui, &to, err);
    if (is_ok && !buf_flush(&to)) is_ok = false;
    if (is_ok && o->fd < 0) is_ok = outlet_open(o); // an empty report is a file too
    outlet_close(o);
    // A reader that left early (pprof -top | head) is no failure worth a sentence; the status says
    // it.
    if (!is_ok && o->err.code) *err = o->err;
    return is_ok;
}

// Reports another program needs whole: pictures, and files for viewers.
static bool report_hold(struct arena *scratch, const struct profile *p, struct outlet *o,
                        struct shown_files *shown, struct err *err) {
    const struct command *c = o->order->command;
    struct buf to = buf_new(scratch, MAX_HELD_BYTES);
    if (!make_report(scratch, p, o->order, o->ui, &to, err)) return false;
    str bytes = buf_str(&to);
    if (c->post != POST_NONE && !picture_make(scratch, bytes, c->suffix, &bytes, err)) return false;
    if (c->post == POST_SVG) bytes = picture_add_panning(scratch, bytes);
    if (c->dest == DEST_VIEWER && !o->order->options->driver.output.len)
        return viewer_show(scratch, bytes, c, o->ui, shown, err);
    bool is_ok = outlet_write(o, bytes);
    outlet_close(o);
    if (!is_ok) *err = o->err;
    return is_ok;
}

bool output_report(struct arena *scratch, const struct profile *p, const struct report_order *order,
                   const struct ui *ui, struct shown_files *shown, struct err *err) {
    struct outlet o = {.scratch = scratch, .order = order, .ui = ui, .fd = -1};
    const struct command *c = order->command;
    bool is_final = c->post == POST_NONE && c->dest != DEST_VIEWER;
    if (is_final || order->form != FORM_TEXT) return report_stream(scratch, p, &o, err);
    return report_hold(scratch, p, &o, shown, err);
}
