// profile/units.h - units and percentages as google/pprof writes them.
// Room: reference/pprof.md section 2.9, nothing else. Door: profile/profile.h.
#pragma once

#include "profile/model.h"

// value in from_unit brought to to_unit ("minimum" and "auto" pick one); *ret_unit gets the unit it
// is now in.
double units_scale(i64 value, str from_unit, str to_unit, str *ret_unit);
// "1.20kB", "30ms", "0": value scaled and written with its unit.
void units_label(struct buf *b, i64 value, str from_unit, str to_unit);
// "  100%", "12.34%", " 0.5%": six columns or more; total 0 gives "    0%".
void units_percent(struct buf *b, i64 value, i64 total);
// Whether both are units of one family (memory, time, GCU), so that one can be scaled to the other.
bool units_convert(str a, str b);
