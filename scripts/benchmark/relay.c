/* The floor: what the kernel alone costs. One thread, epoll, plain TCP; what any client sends goes to every client.
 *
 * A frame is a 2-byte big-endian length and that many bytes, as in the chat's protocol; nothing is encrypted, stored
 * or looked at. What was read in one turn goes out with one send a member, which is the same coalescing that the
 * chat server does. Members read fast enough here, so a short write simply waits with poll.
 *
 * Prints the port it listens on, on loopback, and ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FDS = 65536, TURN = 1 << 20 };
static int members[MAX_FDS], count;
static unsigned char *pending[MAX_FDS]; /* an incomplete frame of each client */
static size_t pending_size[MAX_FDS];
static unsigned char out[TURN + 65537];

static void die(const char *what) { perror(what); exit(1); }

static void send_all(int fd, const unsigned char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (sent < 0) {
            return;
        } else {
            data += sent;
            size -= (size_t)sent;
        }
    }
}

static void leave(int fd) {
    for (int i = 0; i < count; i++)
        if (members[i] == fd) members[i--] = members[--count];
    free(pending[fd]);
    pending[fd] = NULL;
    pending_size[fd] = 0;
    close(fd);
}

/* Read what a client has sent; complete frames are appended to `out`. Returns the new size of `out`. */
static size_t take(int fd, size_t used) {
    static unsigned char buffer[65536 * 2];
    size_t have = pending_size[fd];
    memcpy(buffer, pending[fd], have);
    ssize_t got = recv(fd, buffer + have, 65536, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) { leave(fd); return used; }
    if (got < 0) return used;
    have += (size_t)got;
    size_t at = 0;
    while (have - at >= 2) {
        size_t size = 2 + (size_t)((buffer[at] << 8) | buffer[at + 1]);
        if (have - at < size) break;
        memcpy(out + used, buffer + at, size);
        used += size;
        at += size;
    }
    pending_size[fd] = have - at;
    memcpy(pending[fd], buffer + at, have - at);
    return used;
}

int main(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, epoll = epoll_create1(0);
    if (bind(listener, (void *)&address, length) || listen(listener, 4096)) die("listen");
    getsockname(listener, (void *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        size_t used = 0;
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) return 0;
            if (fd == listener) {
                fd = accept(listener, NULL, NULL);
                if (fd < 0 || fd >= MAX_FDS) continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                pending[fd] = malloc(65537);
                members[count++] = fd;
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
                send_all(fd, (const unsigned char *)"\0", 2); /* an empty frame: you are in */
            } else if (used < TURN - 65536) {
                used = take(fd, used);
            }
        }
        for (int i = 0; used && i < count; i++) send_all(members[i], out, used);
    }
}
