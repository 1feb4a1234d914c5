#!/usr/bin/env python3
"""sqlite3 of Debian, unmodified: one thread that computes and then ends."""
import os

import live

(sqlite,) = live.need("sqlite3")
SQL = ("with recursive c(x) as (select 1 union all select x+1 from c where x<{n}) "
       "select count(*), sum(length(hex(x))), sum(x%7), group_concat(case when x%100003=0 then x end) from c;")
SHORT, LONG = SQL.format(n=200000), SQL.format(n=30000000)

address = f"127.0.0.1:{live.free_port()}"
expected = live.run([sqlite, ":memory:", SHORT])
env = {**os.environ, "LD_PRELOAD": str(live.LIBPPROF), "PPROF_HTTP": address}
live.check_same(live.run([sqlite, ":memory:", SHORT], env=env).splitlines(), expected.splitlines(), "sqlite3 prints the same")

# The long query would take a minute: it is ended when the profiles are taken.
server = live.start([sqlite, ":memory:", LONG], preload=address, stdout=live.subprocess.DEVNULL)
live.wait_profiles(address)
HOT = ["^sqlite3_step$", "^sqlite3_(exec|step)$", "^__libc_start_main|^main$|sqlite3"]
live.check_all(address, server.pid, [sqlite], HOT)
live.check(live.stop(server) == -15, "sqlite3 ends by the signal, as without libpprof")
live.finish()
