// formats/load.c - unpack, recognize, decode, check.
// Room: the order of attempts and the final sentences; each format has its own file. Door:
// formats_load(), at the end. Source: reference/pprof.md section 3.
#include "formats/formats.h"

#include "formats/recognize.h"

// One of the two is set.
struct decoder {
    bool (*decode)(struct arena *out, str bytes, struct profile *ret, struct err *err);
    bool (*walk)(struct arena *out, str bytes, const struct stack_walker *walker,
                 struct profile *ret, struct err *err);
};

static const struct decoder decoders[] = {
#define FORMAT(name, words) {.decode = name##_decode},
#define FORMAT_WALKED(name, words) {.walk = name##_decode},
#include "formats/formats.def"
#undef FORMAT
#undef FORMAT_WALKED
};

static bool unrecognized(struct err *err) {
    return err_set(err, ERR_UNRECOGNIZED, 0, "unrecognized profile format");
}

// Whether a failed decode leaves open that the bytes are of another format.
static bool may_be_legacy(enum err_code code) {
    return code == ERR_MALFORMED;
}

static bool decode(struct arena *out, const struct decoder *d, str plain,
                   const struct stack_walker *walker, struct profile *ret, struct err *err) {
    return d->decode ? d->decode(out, plain, ret, err) : d->walk(out, plain, walker, ret, err);
}

static bool parse(struct arena *out, str plain, const struct formats_opts *opts, bool is_owned,
                  struct profile *ret, struct err *err) {
    const struct stack_walker *walker = opts ? opts->walker : NULL;
    bool is_proto = is_owned ? profile_decode_owned(out, plain, ret, err)
                             : profile_decode(out, plain, ret, err);
    if (is_proto) return true;
    if (!may_be_legacy(err->code)) return false;
    for (size_t i = 0; i < countof(decoders); i++) {
        if (decode(out, &decoders[i], plain, walker, ret, err)) return profile_check(ret, err);
        if (err->code != ERR_UNRECOGNIZED) return false;
    }
    return unrecognized(err);
}

bool formats_load(struct arena *out, str bytes, const struct formats_opts *opts,
                  struct profile *ret, struct err *err) {
    struct err local;
    if (!err) err = &local;
    str plain;
    if (!profile_unpack(out, bytes, opts ? &opts->unpack : NULL, &plain, err)) return false;
    bool is_owned = plain.p != bytes.p || (opts && opts->unpack.is_given);
    struct profile p;
    if (!parse(out, plain, opts, is_owned, &p, err))
        return err_in(err, err->code == ERR_INCONSISTENT ? "malformed profile" : "parsing profile");
    *ret = p;
    return true;
}
