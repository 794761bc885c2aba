/* The listening half of a crowd: reads many connections, decrypts what comes and checks every message.
 *
 * In C, for the load shares two cores with the server that it measures: whatever it takes, it takes from the server. In
 * real life each member has a machine of their own.
 *
 * Each message's text begins with #, its number in ten digits, @ and the nanosecond of its sending in twenty: that is
 * all that is understood of any server's protocol, beyond the frames and the cipher of the chat's own. Each member must
 * get 1, 2, 3 … without a hole or a double. What a whole room gets is mostly the same bytes for everyone, so a piece is
 * compared with the piece before, and only parsed if it is another.
 *
 * The functions of OpenSSL's libcrypto are declared here, so that its headers need not be installed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *);
const EVP_CIPHER *EVP_aes_256_gcm(void);
int EVP_DecryptInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *, const unsigned char *, const unsigned char *);
int EVP_DecryptUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
int EVP_DecryptFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *);

enum { SET_TAG = 0x11, TAG = 16, STAMP = 32, READ = 1 << 18, MAX_REST = 1 << 17, MAX_PIECE = 8192, MAX_FD = 1 << 17 };

typedef struct {
    EVP_CIPHER_CTX *cipher; /* NULL where nothing is encrypted */
    uint64_t counter, next;
    unsigned char *rest; /* what is not complete yet */
    size_t rest_size;
    int ignored; /* what comes is read and not looked at */
} Member;

typedef struct {
    int epoll;
    Member *members[MAX_FD]; /* by descriptor */
    int64_t *latencies;      /* nanoseconds */
    size_t latency_count, latency_room;
    char trouble[200];
} Crowd;

static unsigned char buffer[MAX_REST + READ], plain[MAX_REST + READ];

/* The piece parsed last. */
static unsigned char piece[MAX_REST + READ];
static size_t piece_size, piece_count;
static uint64_t piece_first;
static int64_t piece_sent[MAX_PIECE];

Crowd *crowd_new(void) {
    Crowd *crowd = calloc(1, sizeof *crowd);
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    return crowd;
}

const char *crowd_trouble(Crowd *crowd) { return crowd->trouble; }
int64_t *crowd_latencies(Crowd *crowd) { return crowd->latencies; }
size_t crowd_latency_count(Crowd *crowd) { return crowd->latency_count; }
void crowd_forget_latencies(Crowd *crowd) { crowd->latency_count = 0; }

/* `key` is NULL where nothing is encrypted; `counter` is the number of the next frame. Returns 0, or -1. */
int crowd_add(Crowd *crowd, int fd, const unsigned char *key, uint64_t counter, int ignored) {
    if (fd >= MAX_FD) return -1;
    Member *member = calloc(1, sizeof *member);
    if (key) {
        member->cipher = EVP_CIPHER_CTX_new();
        EVP_DecryptInit_ex(member->cipher, EVP_aes_256_gcm(), NULL, key, NULL);
    }
    member->counter = counter;
    member->next = 1;
    member->ignored = ignored;
    crowd->members[fd] = member;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void keep(Member *member, const unsigned char *data, size_t size) {
    if (size) {
        member->rest = realloc(member->rest, size);
        memmove(member->rest, data, size);
    }
    member->rest_size = size;
}

static int number(const unsigned char *text, int digits, uint64_t *value) {
    *value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
        *value = *value * 10 + (text[i] - '0');
    }
    return 1;
}

/* Parse `data` into the piece; returns where a stamp begins that isn't complete, or `size`. */
static size_t parse(const unsigned char *data, size_t size) {
    piece_count = 0;
    const unsigned char *at = data, *end = data + size;
    while ((at = memchr(at, '#', (size_t)(end - at)))) {
        uint64_t seq, sent;
        if (end - at < STAMP) {
            size = (size_t)(at - data);
            break;
        }
        if (number(at + 1, 10, &seq) && at[11] == '@' && number(at + 12, 20, &sent) && piece_count < MAX_PIECE) {
            if (!piece_count) piece_first = seq;
            if (seq != piece_first + piece_count) piece_first = 0; /* no member waits for 0: it will be told */
            piece_sent[piece_count++] = (int64_t)sent;
            at += STAMP;
        } else {
            at++;
        }
    }
    memcpy(piece, data, piece_size = size);
    return size;
}

static void remember(Crowd *crowd, int64_t now) {
    if (crowd->latency_count + piece_count > crowd->latency_room) {
        crowd->latency_room = 2 * crowd->latency_room + MAX_PIECE;
        crowd->latencies = realloc(crowd->latencies, crowd->latency_room * sizeof *crowd->latencies);
    }
    for (size_t i = 0; i < piece_count; i++) crowd->latencies[crowd->latency_count++] = now - piece_sent[i];
}

/* Check what came for a member; returns how much of `data` was understood, or -1. */
static ssize_t take(Crowd *crowd, Member *member, const unsigned char *data, size_t size, int64_t now, long *count) {
    size_t used = size;
    if (size != piece_size || memcmp(data, piece, size)) used = parse(data, size);
    if (!piece_count) return (ssize_t)used;
    if (piece_first != member->next) {
        snprintf(crowd->trouble, sizeof crowd->trouble, "a member got %llu when %llu was next",
                 (unsigned long long)piece_first, (unsigned long long)member->next);
        return -1;
    }
    member->next += piece_count;
    *count += (long)piece_count;
    if (now) remember(crowd, now);
    return (ssize_t)used;
}

static int decrypt(Member *member, unsigned char *frame, int size) {
    unsigned char nonce[12] = {0};
    for (int i = 0; i < 8; i++) nonce[11 - i] = (unsigned char)(member->counter >> (8 * i));
    member->counter++;
    int got, none;
    return size >= TAG && EVP_DecryptInit_ex(member->cipher, NULL, NULL, NULL, nonce) &&
           EVP_DecryptUpdate(member->cipher, plain, &got, frame, size - TAG) &&
           EVP_CIPHER_CTX_ctrl(member->cipher, SET_TAG, TAG, frame + size - TAG) &&
           EVP_DecryptFinal_ex(member->cipher, plain + got, &none);
}

/* Take the whole frames at the beginning of `data`; returns their bytes, or -1. */
static ssize_t take_frames(Crowd *crowd, Member *member, unsigned char *data, size_t size, int64_t now, long *count) {
    size_t at = 0;
    while (size - at >= 2) {
        size_t length = (size_t)((data[at] << 8) | data[at + 1]);
        if (size - at < 2 + length) break;
        if (!decrypt(member, data + at + 2, (int)length)) {
            snprintf(crowd->trouble, sizeof crowd->trouble, "a frame can't be decrypted");
            return -1;
        }
        if (take(crowd, member, plain, length - TAG, now, count) < 0) return -1;
        at += 2 + length;
    }
    return (ssize_t)at;
}

static int receive(Crowd *crowd, int fd, int timed, long *count) {
    Member *member = crowd->members[fd];
    if (member->rest_size) memcpy(buffer, member->rest, member->rest_size);
    ssize_t got = recv(fd, buffer + member->rest_size, READ, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) {
        snprintf(crowd->trouble, sizeof crowd->trouble, "the server has closed a connection");
        return -1;
    }
    if (member->ignored) return 0;
    int64_t now = 0;
    if (timed) {
        struct timespec moment;
        clock_gettime(CLOCK_MONOTONIC, &moment);
        now = moment.tv_sec * 1000000000LL + moment.tv_nsec;
    }
    size_t size = member->rest_size + (size_t)got;
    ssize_t used = member->cipher ? take_frames(crowd, member, buffer, size, now, count)
                                  : take(crowd, member, buffer, size, now, count);
    if (used >= 0) keep(member, buffer + used, size - (size_t)used);
    return used < 0 ? -1 : 0;
}

/* Wait for at most `timeout` ms, then read up to `limit` connections once; returns the deliveries, or -1. */
long crowd_turn(Crowd *crowd, int timeout, int limit, int timed) {
    struct epoll_event events[256];
    long count = 0;
    int ready = epoll_wait(crowd->epoll, events, limit < 256 ? limit : 256, timeout);
    for (int i = 0; i < ready; i++)
        if (receive(crowd, events[i].data.fd, timed, &count) < 0) return -1;
    return count;
}

void crowd_free(Crowd *crowd) {
    for (int fd = 0; fd < MAX_FD; fd++) {
        if (crowd->members[fd]) {
            if (crowd->members[fd]->cipher) EVP_CIPHER_CTX_free(crowd->members[fd]->cipher);
            free(crowd->members[fd]->rest);
            free(crowd->members[fd]);
        }
    }
    close(crowd->epoll);
    free(crowd->latencies);
    free(crowd);
}
