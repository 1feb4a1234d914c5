// web/assets.c - the files of the web pages.
// Room: looking one up; the table is made by ui/build.mjs. Door: web/assets.h.
#include "web/assets.h"

const struct asset *asset_find(str path) {
    for (size_t i = 0; i < n_assets; i++) {
        if (str_eq(assets[i].path, path)) return &assets[i];
    }
    return NULL;
}
