// agent/waited.c - what a lock is called, and what a descriptor leads to.
// Room: see waited.h. Source of the tables' columns: proc(5), and net/ipv4/tcp_ipv4.c for tcp's.
#include "agent/waited.h"

#include "agent/names.h"
#include "agent/waits.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum {
    NET_MAX = 4 << 20, // of each table: 27,000 connections; beyond, a socket is its inode
    LINK_MAX = 512,    // of what a descriptor leads to; longer paths are cut
};

void waited_init(struct waited *ret, struct arena *out) {
    *ret = (struct waited){.out = out};
    idmap_init(&ret->name_by_lock, out);
    idmap_init(&ret->socket_by_inode, out);
}

static str lock_name(struct waited *o, u64 address) {
    u32 known = idmap_get(&o->name_by_lock, address);
    if (known != U32_NONE) return o->names[known];
    if (!o->has_images) o->images = images_read(o->out);
    o->has_images = true;
    GROW(o->out, o->names, o->cap_names, o->n_names + 1);
    o->names[o->n_names] = name_of_variable(o->out, &o->images, address);
    *idmap_at(&o->name_by_lock, address) = o->n_names;
    return o->names[o->n_names++];
}

// The word at the front of a line; spaces around it go.
static str word_take(str *line) {
    str word;
    *line = str_trim(*line);
    str_cut(*line, ' ', &word, line);
    return word;
}

// "0100007F:1F90", or four such words for IPv6, in the machine's byte order.
static bool put_inet(struct buf *b, str address) {
    str host, port;
    u64 port_n, words[4];
    u8 bytes[16];
    if (!str_cut(address, ':', &host, &port) || !num_parse_u64(port, 16, &port_n)) return false;
    u32 n = (u32)host.len / 8;
    if (host.len % 8 || (n != 1 && n != 4)) return false;
    for (u32 i = 0; i < n; i++) {
        if (!num_parse_u64((str){host.p + (size_t)i * 8, 8}, 16, &words[i])) return false;
        for (u32 k = 0; k < 4; k++) bytes[i * 4 + k] = (u8)(words[i] >> (8 * k));
    }
    bool is_mapped = n == 4 && !words[0] && !words[1] && bytes[10] == 0xff && bytes[11] == 0xff;
    if (n == 1 || is_mapped) {
        const u8 *v4 = n == 1 ? bytes : bytes + 12;
        buf_printf(b, "%u.%u.%u.%u:%llu", v4[0], v4[1], v4[2], v4[3], (unsigned long long)port_n);
        return true;
    }
    // Round brackets: readers of dumps take a square one for the end of the state.
    for (u32 i = 0; i < 16; i += 2)
        buf_printf(b, "%c%x", i ? ':' : '(', bytes[i] << 8 | bytes[i + 1]);
    buf_printf(b, "):%llu", (unsigned long long)port_n);
    return true;
}

bool waited_inet_line(struct arena *out, str kind, str line, str *ret, u64 *inode) {
    enum { N_BETWEEN = 6 }; // st, queues, timer, retransmits, uid, timeout
    struct buf b = buf_new(out, 256);
    word_take(&line); // "0:"
    str local = word_take(&line), remote = word_take(&line), port, host;
    buf_printf(&b, S_FMT " ", S_ARG(kind));
    if (!put_inet(&b, local) || !str_cut(remote, ':', &host, &port)) return false;
    if (!str_eq(port, S("0000"))) {
        buf_put(&b, S("->"));
        if (!put_inet(&b, remote)) return false;
    }
    for (u32 i = 0; i < N_BETWEEN; i++) word_take(&line);
    if (!num_parse_u64(word_take(&line), 10, inode) || !*inode) return false;
    *ret = buf_str(&b);
    return true;
}

// "ffff8880: 00000002 00000000 00010000 0001 01 20337 /run/x.sock"
static bool unix_line(struct arena *out, str line, str *ret, u64 *inode) {
    enum { N_BEFORE = 6 };
    for (u32 i = 0; i < N_BEFORE; i++) word_take(&line);
    if (!num_parse_u64(word_take(&line), 10, inode) || !*inode) return false;
    str parts[] = {S("unix "), str_trim(line)};
    *ret = str_trim(str_join(out, parts, countof(parts), S("")));
    return true;
}

static void socket_put(struct waited *o, u64 inode, str text) {
    GROW(o->out, o->sockets, o->cap_sockets, o->n_sockets + 1);
    o->sockets[o->n_sockets] = text;
    *idmap_at(&o->socket_by_inode, inode) = o->n_sockets++;
}

static str table_read(struct arena *out, const char *path) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = buf_new(out, NET_MAX);
    char chunk[8192];
    ssize_t n;
    while (fd >= 0 && !b.is_full && (n = read(fd, chunk, sizeof chunk)) > 0)
        buf_put(&b, (str){chunk, (size_t)n});
    return buf_str(&b);
}

static void sockets_read(struct waited *o) {
    static const struct {
        const char *path;
        str kind;
    } tables[] = {
        {"/proc/thread-self/net/tcp", S("tcp")},   {"/proc/thread-self/net/tcp6", S("tcp")},
        {"/proc/thread-self/net/udp", S("udp")},   {"/proc/thread-self/net/udp6", S("udp")},
        {"/proc/thread-self/net/unix", S("unix")},
    };
    for (u32 i = 0; i < countof(tables); i++) {
        struct reader r = reader_of(table_read(o->out, tables[i].path));
        str line, text;
        u64 inode;
        while (reader_line(&r, &line)) {
            bool is_unix = str_eq(tables[i].kind, S("unix"));
            if (is_unix ? unix_line(o->out, line, &text, &inode)
                        : waited_inet_line(o->out, tables[i].kind, line, &text, &inode))
                socket_put(o, inode, text);
        }
    }
    o->has_sockets = true;
}

// "socket:[20337]"
static bool socket_inode(str link, u64 *inode) {
    str number = str_drop_prefix(link, S("socket:["));
    return number.len < link.len && num_parse_u64(str_drop_suffix(number, S("]")), 10, inode);
}

static str socket_text(struct waited *o, u64 inode) {
    if (!o->has_sockets) sockets_read(o);
    u32 known = idmap_get(&o->socket_by_inode, inode);
    struct buf b = buf_new(o->out, 64);
    if (known != U32_NONE) return o->sockets[known];
    buf_printf(&b, "socket %llu", (unsigned long long)inode);
    return buf_str(&b);
}

// What the descriptor is: a path, a socket's ends, "pipe 20337", "eventpoll". Square brackets go:
// readers of dumps take one for the end of the state.
static str descriptor_text(struct waited *o, u32 tid, i32 fd) {
    char path[64], link[LINK_MAX];
    u64 inode;
    snprintf(path, sizeof path, "/proc/self/task/%u/fd/%d", tid, fd);
    ssize_t len = readlink(path, link, sizeof link);
    str text = {link, len > 0 ? (size_t)len : 0};
    if (socket_inode(text, &inode)) return socket_text(o, inode);
    text = str_drop_prefix(text, S("anon_inode:"));
    struct buf b = buf_new(o->out, LINK_MAX);
    for (size_t i = 0; i < text.len; i++) {
        bool is_before = text.p[i] == ':' && i + 1 < text.len && text.p[i + 1] == '[';
        if (is_before)
            buf_byte(&b, ' ');
        else if (text.p[i] != '[' && text.p[i] != ']' && text.p[i] != '\n')
            buf_byte(&b, text.p[i]);
    }
    return buf_str(&b);
}

void waited_describe(struct waited *o, struct thread_dump *thread) {
    struct buf b = buf_new(o->out, LINK_MAX + 64);
    if (thread->object.word) {
        str name = thread->object.address ? lock_name(o, thread->object.address) : (str){0};
        thread->wait_info = wait_object_text(o->out, &thread->object, name);
        return;
    }
    if (thread->object.fd < 0) return;
    buf_printf(&b, S_FMT " fd %d " S_FMT, S_ARG(thread->wait_info), thread->object.fd,
               S_ARG(descriptor_text(o, thread->tid, thread->object.fd)));
    thread->wait_info = str_trim(buf_str(&b));
}
