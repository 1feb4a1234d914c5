// render/weblist.c - annotated source as one HTML page that needs nothing else.
// Room: markup, columns, escaping. The page's words for parts (livesrc, deadsrc, nop, asm,
// inlinesrc, unimportant) are the original's, so that what scrapes its pages reads ours; markup,
// style and script are our own. Door: render/render.h. Source: reference/pprof.md section 2.20.
#include "render/render.h"

#include "render/cells.h"

enum {
    CODE_COLUMNS = 80, // instructions and inlined source are padded to this
    INDENT = 4,        // of instructions under their line, and of each inlined call in the next
    TAB = 8,
};

static const char head[] =
    "<style>\n"
    "body { font-family: sans-serif; margin: 1em 2em; }\n"
    ".legend { line-height: 1.4; }\n"
    "h2 { margin: 1.5em 0 0; }\n"
    ".filename { margin: .2em 0; color: #555; }\n"
    "pre { tab-size: 8; line-height: 1.35; }\n"
    ".line, .nop, .unimportant { color: #949494; }\n"
    ".inlinesrc { color: #224; }\n"
    ".livesrc { cursor: pointer; }\n"
    ".livesrc:hover, .livesrc:focus { background: #eef3fa; outline: none; }\n"
    ".asm { display: none; color: #075f2c; }\n"
    ".asm.open { display: block; }\n"
    "</style>\n";

// A click, or Enter on the line in focus, shows the instructions behind it; "a" those of all lines.
static const char script[] = "<script>\n"
                             "'use strict';\n"
                             "const codeOf = line => line && line.nextElementSibling;\n"
                             "const toggle = target => {\n"
                             "  const line = target.closest && target.closest('.livesrc');\n"
                             "  if (line) codeOf(line).classList.toggle('open');\n"
                             "};\n"
                             "document.addEventListener('click', e => toggle(e.target));\n"
                             "document.addEventListener('keydown', e => {\n"
                             "  if (e.key === 'Enter') toggle(e.target);\n"
                             "  if (e.key !== 'a' || e.ctrlKey || e.metaKey || e.altKey) return;\n"
                             "  const all = [...document.querySelectorAll('.asm')];\n"
                             "  const open = all.some(code => !code.classList.contains('open'));\n"
                             "  for (const code of all) code.classList.toggle('open', open);\n"
                             "});\n"
                             "</script>\n";

// Columns of white space in front of a line.
static u32 indentation(str text) {
    u32 column = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\t') {
            column = (column / TAB + 1) * TAB;
        } else if (text.p[i] == ' ') {
            column++;
        } else {
            break;
        }
    }
    return column;
}

// indent blanks and the text with its tabs as blanks, filled up to the columns of code.
static void put_padded(struct buf *b, u32 indent, str text) {
    size_t column = indent;
    buf_fill(b, ' ', indent);
    for (size_t i = 0; i < text.len; i++) {
        bool is_tab = text.p[i] == '\t', is_continued = ((u8)text.p[i] & 0xc0) == 0x80;
        size_t width = is_tab ? TAB - column % TAB : !is_continued;
        if (is_tab)
            buf_fill(b, ' ', width);
        else
            buf_html(b, (str){text.p + i, 1});
        column += width;
    }
    if (column < CODE_COLUMNS) buf_fill(b, ' ', CODE_COLUMNS - column);
}

static void put_place(struct buf *b, str file, i64 line) {
    buf_put(b, S("<span class=\"unimportant\">"));
    buf_html(b, file);
    if (file.len) buf_printf(b, ":%lld", (long long)line);
    buf_put(b, S("</span>\n"));
}

static void put_instruction(struct buf *b, const struct summary *s, u32 indent,
                            const struct weblist_instruction *insn) {
    if (insn->starts_block) buf_put(b, S("                                     \u22ee\n"));
    for (u32 i = 0; i < insn->n_calls; i++) {
        const struct weblist_call *call = &insn->calls[i];
        buf_fill(b, ' ', 42);
        buf_put(b, S("<span class=\"inlinesrc\">"));
        put_padded(b, indent + INDENT + INDENT * call->depth, call->text);
        buf_put(b, S("</span> "));
        put_place(b, call->file, call->line);
    }
    if (insn->text.len == 0) return;
    buf_fill(b, ' ', 10);
    cell_value(b, &s->style, insn->flat, true);
    cell_value(b, &s->style, insn->cum, true);
    buf_printf(b, "%8llx: ", (unsigned long long)insn->address);
    put_padded(b, indent + INDENT + INDENT * insn->depth, insn->text);
    buf_byte(b, ' ');
    put_place(b, insn->file, insn->line);
}

static void put_line(struct buf *b, const struct summary *s, const struct weblist_line *line) {
    buf_printf(b, "<span class=\"line\"> %6lld</span> ", (long long)line->line);
    if (line->has_code)
        buf_put(b, S("<span class=\"livesrc\" tabindex=\"0\">  "));
    else
        buf_put(b, line->n_code ? S("<span class=\"deadsrc\">  ") : S("<span class=\"nop\">  "));
    cell_value(b, &s->style, line->flat, true);
    cell_value(b, &s->style, line->cum, true);
    buf_fill(b, ' ', 10);
    buf_html(b, line->text);
    buf_put(b, S(" </span>"));
    if (line->has_code) {
        u32 indent = indentation(line->text);
        buf_put(b, S("<span class=\"asm\">"));
        for (u32 i = 0; i < line->n_code; i++) put_instruction(b, s, indent, &line->code[i]);
        buf_put(b, S("</span>"));
    }
    buf_byte(b, '\n');
}

static void put_function(struct buf *b, const struct summary *s, const struct weblist_function *f) {
    buf_put(b, S("<h2>"));
    buf_html(b, f->name);
    buf_put(b, S("</h2>\n<p class=\"filename\">"));
    buf_html(b, f->file);
    buf_put(b, S("</p>\n<pre>\n  Total:  "));
    cell_value(b, &s->style, f->flat, false);
    cell_value(b, &s->style, f->cum, false);
    buf_put(b, S("(flat, cum) "));
    units_percent(b, f->cum, s->total);
    buf_byte(b, '\n');
    for (u32 i = 0; i < f->n_lines; i++) put_line(b, s, &f->lines[i]);
    buf_put(b, S("</pre>\n"));
}

void render_weblist(struct buf *b, const struct summary *s, const struct lines *legend,
                    const struct weblist *list) {
    buf_put(b, S("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>"));
    buf_html(b, s->title.len ? s->title : S("pprof"));
    buf_put(b, S(" listing</title>\n"));
    buf_put(b, str_of(head));
    buf_put(b, S("</head>\n<body>\n<div class=\"legend\">"));
    for (u32 i = 0; i < legend->n; i++) {
        buf_html(b, legend->items[i]);
        buf_put(b, S("<br>\n"));
    }
    buf_put(b, S("Total: "));
    value_write(b, &s->style, s->total);
    buf_put(b, S("</div>\n"));
    for (u32 i = 0; i < list->n; i++) put_function(b, s, &list->functions[i]);
    buf_put(b, str_of(script));
    buf_put(b, S("</body>\n</html>\n"));
}
