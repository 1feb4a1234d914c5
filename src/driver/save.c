// driver/save.c - copies of fetched profiles.
// Room: see save.h. Door: driver/driver.h.
#include "driver/save.h"

#include "driver/files.h"

#include <stdlib.h>
#include <unistd.h>

static bool save_folder(struct arena *out, const struct ui *ui, str *ret, struct err *err) {
    const char *tmpdir = getenv("PPROF_TMPDIR"), *home = getenv("HOME");
    str dirs[3];
    size_t n = 0;
    if (tmpdir && *tmpdir) dirs[n++] = str_of(tmpdir);
    str parts[] = {str_of(home), S("/pprof")};
    if (home && *home) dirs[n++] = str_join(out, parts, 2, S(""));
    dirs[n++] = folder_temporary();
    for (size_t i = 0; i < n; i++) {
        struct err why = {0};
        if (folder_make(out, dirs[i], &why)) return *ret = dirs[i], true;
        ui_error(ui, "Could not use temp dir " S_FMT ": %s", S_ARG(dirs[i]), why.text);
    }
    return err_set(err, ERR_SYSTEM, 0, "failed to identify temp dir");
}

// "pprof.server.samples.cpu."
static str save_prefix(struct arena *out, const struct profile *p) {
    struct buf b =
        buf_new(out, 1024); // a file name holds 255 bytes; the system says so if it is longer
    buf_put(&b, S("pprof."));
    if (p->n_mappings && p->mappings[0].file) {
        buf_put(&b, str_basename(profile_str(p, p->mappings[0].file)));
        buf_byte(&b, '.');
    }
    for (u32 i = 0; i < p->n_types; i++) {
        buf_put(&b, profile_str(p, p->sample_types[i].type));
        buf_byte(&b, '.');
    }
    return buf_str(&b);
}

static bool write_copy(struct arena *out, const struct profile *p, str dir, str *path,
                       struct err *err) {
    str plain, packed;
    if (!profile_encode(out, p, &plain, err) || !gzip_pack(out, plain, 0, &packed, err))
        return false;
    int fd;
    str prefix = save_prefix(out, p);
    if (!file_create_numbered(out, dir, prefix, S(".pb.gz"), path, &fd, err)) return false;
    AUTO_CLOSE int closing = fd;
    return file_write(closing, packed, err);
}

bool save_fetched(const struct profile *p, const struct ui *ui, struct err *err) {
    AUTO_ARENA struct arena scratch = {0};
    str dir, path;
    if (!save_folder(&scratch, ui, &dir, err)) return false;
    struct err why = {0};
    if (write_copy(&scratch, p, dir, &path, &why))
        ui_error(ui, "Saved profile in " S_FMT, S_ARG(path));
    else
        ui_error(ui, "Could not save profile: %s", why.text);
    return true;
}
