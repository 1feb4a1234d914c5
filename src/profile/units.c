// profile/units.c - units of memory, time and GCU, and how values are written with them.
// Room: scaling one value, writing one value or percentage; which unit a report chooses is the
// report's. Door: units_scale(), units_label(), units_percent(), units_convert(). Source:
// reference/pprof.md section 2.9.
#include "profile/units.h"

#include <math.h>

struct unit {
    const char *name;    // as written
    const char *aliases; // as read, lower case and without a plural s, each followed by a blank
    double factor;
};

struct unit_family {
    struct unit units[9];
    size_t n_units, default_i;
};

// "days" and "minutes" are missing there as here: a profile in minutes prints its own unit. The
// Greek "\u03bcs" some writers use is listed by the reference and can never match, because its s is
// taken off first; it is left out.
static const struct unit_family families[] = {
    {{{"B", "b byte ", 1},
      {"kB", "kb kbyte kilobyte ", 0x1p10},
      {"MB", "mb mbyte megabyte ", 0x1p20},
      {"GB", "gb gbyte gigabyte ", 0x1p30},
      {"TB", "tb tbyte terabyte ", 0x1p40},
      {"PB", "pb pbyte petabyte ", 0x1p50}},
     6,
     0},
    {{{"ns", "ns nanosecond ", 1},
      {"us", "us microsecond ", 1e3},
      {"ms", "ms millisecond ", 1e6},
      {"s", "s sec second ", 1e9},
      {"hrs", "hour hr ", 3600e9}},
     5,
     3},
    {{{"n*GCU", "nanogcu ", 1e-9},
      {"u*GCU", "microgcu ", 1e-6},
      {"m*GCU", "milligcu ", 1e-3},
      {"GCU", "gcu ", 1},
      {"k*GCU", "kilogcu ", 1e3},
      {"M*GCU", "megagcu ", 1e6},
      {"G*GCU", "gigagcu ", 1e9},
      {"T*GCU", "teragcu ", 1e12},
      {"P*GCU", "petagcu ", 1e15}},
     9,
     3},
};

enum { ALIAS_CAP = 16 }; // longer than any alias; a longer unit is none of ours

// The unit's spelling as the aliases have it: lower case, one plural s less when longer than two
// bytes. Empty when it cannot be an alias.
static str alias_of(str unit, char *text) {
    if (unit.len > 2 && (unit.p[unit.len - 1] | 0x20) == 's') unit.len--;
    if (unit.len > ALIAS_CAP) return (str){0};
    for (size_t i = 0; i < unit.len; i++) {
        char c = unit.p[i];
        text[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (str){text, unit.len};
}

static bool has_alias(const struct unit *u, str alias) {
    str rest = str_of(u->aliases), one;
    while (str_cut(rest, ' ', &one, &rest)) {
        if (str_eq(one, alias)) return true;
    }
    return false;
}

static const struct unit *family_find(const struct unit_family *f, str unit) {
    char text[ALIAS_CAP];
    str alias = alias_of(unit, text);
    for (size_t i = 0; alias.len && i < f->n_units; i++) {
        if (has_alias(&f->units[i], alias)) return &f->units[i];
    }
    return NULL;
}

static bool is_automatic(str unit) {
    return str_eq(unit, S("minimum")) || str_eq(unit, S("auto"));
}

// The largest unit in which base_value is at least 1, else the family's default.
static const struct unit *family_choose(const struct unit_family *f, double base_value) {
    for (size_t i = f->n_units; i-- > 0;) {
        if (base_value / f->units[i].factor >= 1) return &f->units[i];
    }
    return &f->units[f->default_i];
}

static double family_scale(const struct unit_family *f, double base_value, str to_unit,
                           str *ret_unit) {
    const struct unit *to =
        is_automatic(to_unit) ? family_choose(f, base_value) : family_find(f, to_unit);
    if (!to) to = &f->units[f->default_i];
    *ret_unit = str_of(to->name);
    return base_value / to->factor;
}

static bool is_dull(str unit) {
    return is_automatic(unit) || str_eq(unit, S("count")) || str_eq(unit, S("sample")) ||
           str_eq(unit, S("unit"));
}

double units_scale(i64 value, str from_unit, str to_unit, str *ret_unit) {
    // The most negative value has no magnitude in 64 bits and is scaled as it is.
    if (value < 0 && value != INT64_MIN) return -units_scale(-value, from_unit, to_unit, ret_unit);
    for (size_t i = 0; i < countof(families); i++) {
        const struct unit *from = family_find(&families[i], from_unit);
        if (from)
            return family_scale(&families[i], (double)value * from->factor, to_unit, ret_unit);
    }
    *ret_unit = is_dull(to_unit) ? (str){0} : to_unit;
    return (double)value;
}

enum { NUMBER_CAP = 512 }; // "%.2f" of DBL_MAX has 312 bytes

void units_label(struct buf *b, i64 value, str from_unit, str to_unit) {
    str unit;
    double scaled = units_scale(value, from_unit, to_unit, &unit);
    char text[NUMBER_CAP];
    struct buf number = {.p = text, .cap = sizeof text, .max = sizeof text};
    num_fixed(&number, scaled, 2);
    str digits = str_drop_suffix(buf_str(&number), S(".00"));
    if (str_eq(digits, S("0")) || str_eq(digits, S("-0"))) {
        buf_put(b, S("0"));
        return;
    }
    buf_put(b, digits);
    buf_put(b, unit);
}

void units_percent(struct buf *b, i64 value, i64 total) {
    double ratio = total ? fabs((double)value / (double)total) * 100 : 0;
    if (ratio >= 99.95 && ratio <= 100.05) {
        buf_put(b, S("  100%"));
        return;
    }
    char text[NUMBER_CAP];
    struct buf number = {.p = text, .cap = sizeof text, .max = sizeof text};
    if (ratio >= 1)
        num_fixed(&number, ratio, 2);
    else
        num_general(&number, ratio, 2);
    buf_pad(b, buf_str(&number), 5);
    buf_byte(b, '%');
}

bool units_convert(str a, str b) {
    for (size_t i = 0; i < countof(families); i++) {
        if (family_find(&families[i], a) && family_find(&families[i], b)) return true;
    }
    return false;
}
