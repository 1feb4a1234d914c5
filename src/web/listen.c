// web/listen.c - the socket of -http, and which names it may be called by.
// Room: see listen.h. Door: web/listen.h.
#include "web/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, MAX_NAME = 256 };

// "[::1]:80", "host:80", "::1" (no port), "host" (no port).
static void split(str text, str *host, str *port) {
    ptrdiff_t colon = str_rfind_byte(text, ':'), bracket = str_rfind_byte(text, ']');
    bool is_bare_v6 = bracket < 0 && colon >= 0 && str_find_byte(text, ':') != colon;
    bool has_port = colon > bracket && !is_bare_v6;
    *host = has_port ? str_take(text, (size_t)colon) : text;
    *port = has_port ? str_skip(text, (size_t)colon + 1) : S("");
    *host = str_drop_suffix(str_drop_prefix(*host, S("[")), S("]"));
}

static bool parse_address(str address, str *host, int *port, struct err *err) {
    str text;
    u64 n = 0;
    ptrdiff_t colon = str_rfind_byte(address, ':');
    if (colon < 0)
        return err_set(err, ERR_USAGE, 0,
                       "could not split http address: address " S_FMT ": missing port in address",
                       S_ARG(address));
    *host = str_take(address, (size_t)colon);
    text = str_skip(address, (size_t)colon + 1);
    if (text.len && (!num_parse_u64(text, 10, &n) || n > 65535))
        return err_set(err, ERR_USAGE, 0, "invalid port number: " S_FMT, S_ARG(text));
    *host = str_drop_suffix(str_drop_prefix(*host, S("[")), S("]"));
    if (!host->len) *host = S("localhost");
    *port = (int)n;
    return true;
}

static bool is_loopback(const struct sockaddr *at) {
    if (at->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)at)->sin_addr.s_addr) >> 24 == 127;
    return at->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)at)->sin6_addr);
}

static int port_of(int fd) {
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len)) return 0;
    if (at.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&at)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&at)->sin6_port);
}

static int open_socket(const struct addrinfo *at) {
    int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    close(fd);
    return -1;
}

static str machine_name(struct arena *out) {
    char name[MAX_NAME] = "";
    if (gethostname(name, sizeof name - 1)) return S("");
    return str_copy(out, str_of(name));
}

bool listening_open(struct arena *out, str address, struct listening *ret, struct err *err) {
    str host;
    int port;
    char service[16];
    struct addrinfo *list = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (!parse_address(address, &host, &port, err)) return false;
    snprintf(service, sizeof service, "%d", port);
    // As Go: a name's IPv4 address before its IPv6 one.
    hints.ai_family = AF_INET;
    int code = getaddrinfo(str_z(out, host), service, &hints, &list);
    hints.ai_family = AF_UNSPEC;
    if (code) code = getaddrinfo(str_z(out, host), service, &hints, &list);
    if (code)
        return err_set(err, ERR_NETWORK, 0, "listen " S_FMT ": %s", S_ARG(address),
                       gai_strerror(code));
    struct listening l = {.fd = open_socket(list), .host = host};
    l.is_loopback = is_loopback(list->ai_addr);
    freeaddrinfo(list);
    if (l.fd < 0) return err_sys(err, "listen " S_FMT, S_ARG(address));
    l.port = port_of(l.fd);
    l.machine = machine_name(out);
    *ret = l;
    return true;
}

str listening_url(struct arena *out, const struct listening *l) {
    bool is_v6 = str_find_byte(l->host, ':') >= 0;
    struct buf b = buf_new(out, 1024);
    buf_printf(&b, "http://%s" S_FMT "%s:%d", is_v6 ? "[" : "", S_ARG(l->host), is_v6 ? "]" : "",
               l->port);
    return buf_str(&b);
}

static bool name_eq(str a, str b) {
    return a.len && a.len == b.len && !strncasecmp(a.p, b.p, a.len);
}

static bool is_ip(str host, bool *ret_loopback) {
    char z[INET6_ADDRSTRLEN + 1];
    struct in_addr v4;
    struct in6_addr v6;
    if (host.len >= sizeof z) return false;
    snprintf(z, sizeof z, S_FMT, S_ARG(host));
    *ret_loopback = false;
    if (inet_pton(AF_INET, z, &v4) == 1) {
        *ret_loopback = ntohl(v4.s_addr) >> 24 == 127;
        return true;
    }
    if (inet_pton(AF_INET6, z, &v6) != 1) return false;
    *ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    return true;
}

// The first label of a name: "desk" and "desk.example.org" are the same machine here.
static bool is_machine(const struct listening *l, str host) {
    str bare, machine, rest;
    if (name_eq(host, l->machine)) return true;
    if (!str_cut(host, '.', &bare, &rest))
        str_cut(l->machine, '.', &machine, &rest);
    else
        return str_eq(rest, S("local")) && name_eq(bare, l->machine);
    return name_eq(host, machine);
}

bool listening_is_host(const struct listening *l, str host) {
    str name, port;
    bool is_loop;
    split(host, &name, &port);
    if (str_ends(name, S("."))) name = str_take(name, name.len - 1);
    if (name_eq(name, S("localhost")) || name_eq(name, l->host)) return true;
    for (size_t i = 0; l->allowed && i < l->allowed->n; i++)
        if (name_eq(name, l->allowed->items[i])) return true;
    if (is_ip(name, &is_loop)) return !l->is_loopback || is_loop;
    return !l->is_loopback && is_machine(l, name);
}
