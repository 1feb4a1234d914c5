// agent/waited.h - what a lock is called, and what a descriptor leads to.
// Room: variables' names, /proc/self/task/TID/fd, /proc/self/net. Door: agent/threads.h. On the
// agent thread.
#pragma once

#include "agent/agent.h"
#include "agent/maps.h"
#include "agent/threads.h"

// What describing needs, read when first asked for: once a dump.
struct waited {
    struct arena *out;
    struct image_map images;
    bool has_images;
    struct idmap name_by_lock; // index in names
    str *names;
    u32 n_names;
    size_t cap_names;
    struct idmap socket_by_inode; // index in sockets
    str *sockets;                 // "tcp 127.0.0.1:80->127.0.0.1:4000", "unix /run/x.sock"
    u32 n_sockets;
    size_t cap_sockets;
    bool has_sockets;
};

void waited_init(struct waited *ret, struct arena *out);
// Says in thread->wait_info which lock, with the variable's name, or which descriptor, with what it
// leads to, the thread waits for.
void waited_describe(struct waited *waited, struct thread_dump *thread);
// A line of /proc/net/tcp, tcp6, udp or udp6 as text ("tcp 127.0.0.1:80->..."), in out, and its
// inode. False: it is none.
MUST_USE bool waited_inet_line(struct arena *out, str kind, str line, str *ret, u64 *inode);
