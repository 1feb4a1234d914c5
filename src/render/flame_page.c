// render/flame_page.c - a flame graph as one HTML file.
// Room: putting the data into the page; both are made elsewhere. Door: render/flame.h.
#include "render/flame_page.h"

#include "profile/profile.h"
#include "render/flame.h"
#include "render/json.h"

#include <assert.h>

enum { MAX_TITLE = 1 << 16 }; // bytes of a binary's name, quoted; a longer one is cut

// JSON within HTML: a '<' could end the script it stands in, and only texts have one.
static void put_json(struct buf *b, str json) {
    str before;
    while (str_cut(json, '<', &before, &json)) {
        buf_put(b, before);
        buf_put(b, S("\\u003c"));
    }
    buf_put(b, before);
}

bool render_flame_page(struct arena *scratch, struct buf *b, str title, str flame_json,
                       struct err *err) {
    str page;
    const struct unpack_opts opts = {.max_bytes = UNPACK_MAX_BYTES};
    if (!profile_unpack(scratch, flame_page_packed, &opts, &page, err)) return false;
    ptrdiff_t at = str_find(page, S(FLAME_PAGE_MARK));
    assert(at >= 0);
    struct buf quoted = buf_new(scratch, MAX_TITLE);
    json_text(&quoted, title);
    buf_put(b, str_take(page, (size_t)at));
    buf_put(b, S("{\"title\":"));
    put_json(b, buf_str(&quoted));
    buf_put(b, S(",\"flame\":"));
    put_json(b, flame_json);
    buf_byte(b, '}');
    buf_put(b, str_skip(page, (size_t)at + sizeof FLAME_PAGE_MARK - 1));
    return true;
}
