#!/usr/bin/env python3
"""nginx of Debian, unmodified: a master and two forked workers, each profiled at its own address, under wrk."""
import os
import urllib.request

import live

nginx, wrk = live.need("nginx", "wrk")
# reuseport: the kernel spreads connections by hash; else one worker may accept them all and the other stays idle.
SETTINGS = """daemon off; worker_processes 2; thread_pool readers threads=2; pid {d}/nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
    uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
    server {{ listen 127.0.0.1:{port} reuseport; root {d}; gzip on; gzip_min_length 100; gzip_types text/plain; gzip_comp_level 6;
             location /hello {{ return 200 "hello\\n"; }}
             location /blob {{ gzip off; sendfile off; output_buffers 1 32k; aio threads=readers; }} }}
}}
"""
page = live.TEMP / "index.html"
page.write_text("<p>" + " ".join(f"word{i * 7919 % 1000}" for i in range(400)) + "</p>\n")

(live.TEMP / "blob").write_text("x" * 100_000)


def serve(address, name):
    port = live.free_port()
    settings = live.TEMP / f"{name}.conf"
    user = "user nobody nogroup;" if os.getuid() == 0 else ""
    settings.write_text(SETTINGS.format(d=live.TEMP, port=port, user=user))
    log = open(live.TEMP / f"{name}.log", "w+")
    server = live.start([nginx, "-p", live.TEMP, "-c", settings], preload=address, env={"PPROF_CHILDREN": "all"},
                        stdout=log, stderr=log)
    live.wait_port(port)
    return server, port


def answers(port):
    found = []
    for path in ("hello", "index.html", "missing", "blob"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers={"Accept-Encoding": "gzip"})
        try:
            answer = urllib.request.urlopen(request, timeout=5)
            found.append(f"{answer.status} {len(answer.read())} {answer.headers['Content-Encoding']}")
        except urllib.error.HTTPError as e:
            found.append(f"{e.code} {len(e.read())}")
    return found


def workers(server):
    return live.children(server.pid)


server, port = serve(None, "without")
expected = answers(port)
status_without = live.stop(server)

address = f"127.0.0.1:{live.free_port()}"
server, port = serve(address, "with")
live.wait_profiles(address)
live.check_same(answers(port), expected, "nginx answers the same")
load = live.start([wrk, "-t1", "-c32", "-d30", "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}/index.html"],
                  stdout=live.subprocess.DEVNULL)
pids = live.wait_for("two workers", lambda: len(workers(server)) == 2 and workers(server))
listed = live.wait_for("pprof ps lists the workers", lambda: set(pids) <= set(live.addresses()) and live.addresses())
live.check(server.pid in listed, "pprof ps lists the master")
HOT = ["^ngx_", "deflate", "^main$|__libc_start|ngx_single_process_cycle|ngx_master_process_cycle"]
roots = live.Roots(nginx)
meters = {pid: live.CpuMeter(pid) for pid in pids}
for pid in pids:
    if pid in listed:
        live.wait_profiles(listed[pid])
        live.check_cpu(listed[pid], pid, roots, HOT, seconds=3, meter=meters[pid])
        live.check_threads(listed[pid], pid, roots)
        live.check_profile(listed[pid], "heap")
live.stop(load)
# Each read of a file is posted to a thread that waits for a condition; who posts wakes it while it still holds the mutex.
live.start([wrk, "-t1", "-c32", "-d30", f"http://127.0.0.1:{port}/blob"], stdout=live.subprocess.DEVNULL)
live.check_waits(listed[pids[0]], holders="^ngx_thread_mutex_unlock$|^ngx_thread_task_post$", waiters="^ngx_thread_cond_wait$")
live.check_pages(address, server.pid)
live.check_pprof_reads("profile", "heap", "goroutine")
status = live.stop(server)
live.check(status == status_without, "nginx ends as it does without libpprof", status)
# Signals are left out: the kernel may fold two SIGCHLD into one.
logs = [sorted(line for line in live.plain((live.TEMP / f"{name}.log").read_text()) if "signal N" not in line)
        for name in ("with", "without")]
live.check_same(logs[0], logs[1], "nginx logs the same")
live.finish()
