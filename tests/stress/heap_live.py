#!/usr/bin/env python3
"""The heap storm over four allocators, in front of libpprof and behind it, at two rates; its own count is compared with
the heap profile it writes."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
import live  # noqa: E402
from proto import Profile  # noqa: E402

live.need()
storm = live.BUILD / "tests/stress/heap_storm"
LIBS = Path("/usr/lib/x86_64-linux-gnu")
allocators = {"glibc": None, "jemalloc": LIBS / "libjemalloc.so.2", "tcmalloc": LIBS / "libtcmalloc.so.4",
              "mimalloc": LIBS / "libmimalloc.so.2.0"}
ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE = range(4)


def storm_run(preload, rate, name):
    """The storm's own count and the profile it wrote, or None for the latter."""
    path = live.TEMP / f"{name}.pb.gz"
    env = {"LD_PRELOAD": ":".join(map(str, preload)), "PPROF_HEAP_RATE": str(rate), "PPROF_HTTP": "127.0.0.1:0"}
    done = live.subprocess.run([storm, "16", "4000", path], capture_output=True, text=True, timeout=60,
                               env=live.os.environ | env)
    if not live.check(done.returncode == 0, f"{name}: the storm ends well", done.stderr.strip()[-300:]):
        return None, None
    return json.loads(done.stdout), Profile(path.read_bytes())


def under(profile, function, value_i):
    return profile.weight_by_function(value_i).get(function, 0)


def check_near(got, want, part, claim):
    off = got / want - 1
    live.check(abs(off) <= part, claim, f"{got} of {want}, {100 * off:+.2f} %")


def check_exact(name, count, profile):
    """Sampled at every allocation: what the profile says is what was done."""
    live.check(under(profile, "storm_allocate", ALLOC_OBJECTS) == count["blocks"], f"{name}: every block is counted once",
               f"{under(profile, 'storm_allocate', ALLOC_OBJECTS)} of {count['blocks']}")
    live.check(under(profile, "storm_allocate", ALLOC_SPACE) == count["bytes"], f"{name}: with the bytes asked for",
               f"{under(profile, 'storm_allocate', ALLOC_SPACE)} of {count['bytes']}")
    held = [under(profile, "storm_allocate", i) + under(profile, "storm_reallocate", i) for i in range(4)]
    live.check(held[INUSE_OBJECTS] == count["live_blocks"], f"{name}: what is live is what was not freed",
               f"{held[INUSE_OBJECTS]} of {count['live_blocks']}")
    live.check(held[INUSE_SPACE] == count["live_bytes"], f"{name}: in bytes too",
               f"{held[INUSE_SPACE]} of {count['live_bytes']}")


for name, library in allocators.items():
    if library and not library.exists():
        print(f"{name} is not installed: left out")
        continue
    behind = [live.LIBPPROF] + ([library] if library else [])
    count, profile = storm_run(behind, 1, f"{name} rate 1")
    if count:
        check_exact(name, count, profile)
    count, profile = storm_run(behind, 4096, f"{name} rate 4096")
    # Blocks above 4 KiB carry nearly all bytes and are nearly all sampled. In number small ones are half: the sum of
    # N/p over the sizes gives a standard deviation of 1.8 %.
    if count:
        check_near(under(profile, "storm_allocate", ALLOC_SPACE), count["bytes"], 0.01, f"{name}: alloc_space at rate 4096")
        check_near(under(profile, "storm_allocate", ALLOC_OBJECTS), count["blocks"], 0.09, f"{name}: alloc_objects at rate 4096")
    if library:
        count, profile = storm_run([library, live.LIBPPROF], 1, f"{name} in front")
        if count:
            live.check(any(name in c for c in profile.comments), f"{name} in front: the empty profile says why", profile.comments)
live.finish()
