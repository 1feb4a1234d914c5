// driver/terminal.c - lines from a person, by libedit.
// Room: see terminal.h. Door: driver/driver.h.
// The prompt, the edited line and the candidates go to standard error, so that standard output
// holds reports only.
#include "driver/terminal.h"

#include "driver/complete.h"
#include "driver/files.h"

#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_HISTORY = 1000,    // lines kept, of all sessions
    MAX_SHOWN = 60,        // candidates listed at one TAB: about a screen
    MAX_SHOWN_WIDTH = 100, // of one candidate; C++ names have thousands of characters
};

static char *prompt_text(EditLine *edit) {
    (void)edit;
    static char text[] = "(pprof) ";
    return text;
}

static void list_candidates(const struct completion *c) {
    fputc('\n', stderr);
    for (size_t i = 0; i < c->n && i < MAX_SHOWN; i++) {
        str s = str_take(c->candidates[i], MAX_SHOWN_WIDTH);
        fprintf(stderr, "  " S_FMT "%s\n", S_ARG(s), s.len < c->candidates[i].len ? "..." : "");
    }
    if (c->n > MAX_SHOWN) fprintf(stderr, "  ... and %zu more\n", c->n - MAX_SHOWN);
}

// TAB: the word grows as far as all candidates agree; where it cannot grow they are listed.
static unsigned char complete_key(EditLine *edit, int ch) {
    (void)ch;
    struct terminal *t;
    el_get(edit, EL_CLIENTDATA, &t);
    const LineInfo *info = el_line(edit);
    str line = {info->buffer, (size_t)(info->cursor - info->buffer)};
    AUTO_ARENA struct arena scratch = arena_sub(t->arena);
    struct completion c;
    complete_line(&scratch, t->p, line, &c);
    if (!c.n) return CC_REFRESH_BEEP;
    str word = str_skip(line, c.word_at), prefix = completion_prefix(&c);
    bool is_unique = c.n == 1;
    // A part from the middle of several names shares no beginning with them: it stays as typed.
    bool grows =
        is_unique ? !str_eq(prefix, word) : prefix.len > word.len && str_starts(prefix, word);
    if (!grows && !is_unique) {
        list_candidates(&c);
        return CC_REDISPLAY;
    }
    const char *text = str_z(&scratch, prefix);
    el_deletestr(edit, (int)word.len);
    if (el_insertstr(edit, text) != 0) return CC_ERROR;
    bool takes_more = prefix.len && prefix.p[prefix.len - 1] == '=';
    if (is_unique && !takes_more) el_insertstr(edit, " ");
    return CC_REFRESH;
}

// ^C gives up the line, not the shell. It is a key like others while a line is edited (-isig
// below): as a signal it would have to interrupt libedit's read, which tries again. A report it
// ends, and pprof with it, as anywhere.
static unsigned char forget_key(EditLine *edit, int ch) {
    (void)ch;
    const LineInfo *info = el_line(edit);
    int len = (int)(info->lastchar - info->buffer), at = (int)(info->cursor - info->buffer);
    el_cursor(edit, len - at);
    el_deletestr(edit, len);
    fputs("^C\n", stderr);
    return CC_REDISPLAY;
}

static str history_file(struct arena *out) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    str folder;
    if (state && *state) {
        str parts[] = {str_of(state), S("/pprof")};
        folder = str_join(out, parts, 2, S(""));
    } else if (home && *home) {
        str parts[] = {str_of(home), S("/.local/state/pprof")};
        folder = str_join(out, parts, 2, S(""));
    } else {
        return S("");
    }
    struct err err;
    str parts[] = {folder, S("/history")};
    return folder_make(out, folder, &err) ? str_join(out, parts, 2, S("")) : S("");
}

static bool is_person(void) {
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

static void open_editor(struct terminal *t) {
    t->edit = el_init("pprof", stdin, stderr, stderr);
    if (!t->edit) return;
    HistEvent event;
    t->history = history_init();
    history(t->history, &event, H_SETSIZE, MAX_HISTORY);
    history(t->history, &event, H_SETUNIQUE, 1);
    t->history_path = history_file(t->arena);
    if (t->history_path.len) history(t->history, &event, H_LOAD, str_z(t->arena, t->history_path));
    el_set(t->edit, EL_PROMPT, prompt_text);
    el_set(t->edit, EL_EDITOR, "emacs");
    el_set(t->edit, EL_CLIENTDATA, t);
    el_set(t->edit, EL_HIST, history, t->history);
    el_set(t->edit, EL_ADDFN, "pprof-complete", "complete the word", complete_key);
    el_set(t->edit, EL_ADDFN, "pprof-forget", "give up the line", forget_key);
    el_set(t->edit, EL_SETTY, "-d", "-isig", NULL);
    el_set(t->edit, EL_BIND, "^I", "pprof-complete", NULL);
    el_set(t->edit, EL_BIND, "^C", "pprof-forget", NULL);
    el_set(t->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(t->edit, EL_BIND, "\033[1~", "ed-move-to-beg", NULL);
    el_set(t->edit, EL_BIND, "\033[4~", "ed-move-to-end", NULL);
    el_set(t->edit, EL_BIND, "\033[3~", "ed-delete-next-char", NULL);
    el_source(t->edit, NULL); // ~/.editrc
}

void terminal_open(struct arena *out, const struct profile *p, struct terminal *ret) {
    *ret = (struct terminal){.arena = out, .p = p};
    if (is_person()) open_editor(ret);
}

static void remember(struct terminal *t, str line) {
    if (!str_trim(line).len) return;
    HistEvent event;
    history(t->history, &event, H_ENTER, str_z(t->arena, line));
    if (!t->history_path.len) return;
    // After each line, so that a killed session loses none. Others may not read what was looked at.
    mode_t before = umask(077);
    history(t->history, &event, H_SAVE, str_z(t->arena, t->history_path));
    umask(before);
}

bool terminal_read(struct terminal *t, str *ret) {
    if (!t->edit) {
        ssize_t n = getline(&t->line, &t->line_cap, stdin);
        if (n < 0) return false;
        *ret = str_trim((str){t->line, (size_t)n});
        return true;
    }
    int len = 0;
    const char *line = el_gets(t->edit, &len);
    if (!line || len <= 0) {
        fputc('\n', stderr);
        return false;
    }
    *ret = str_trim((str){line, (size_t)len});
    remember(t, *ret);
    return true;
}

void terminal_close(struct terminal *t) {
    if (t->edit) el_end(t->edit);
    if (t->history) history_end(t->history);
    free(t->line);
}
