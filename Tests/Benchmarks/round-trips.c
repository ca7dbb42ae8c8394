// round-trips PORT SAMPLES PAUSE: submits one job after the other over one kept-alive connection, each with Prefer: wait, with
// PAUSE microseconds between them, and prints the 50th and the 99th percentile of the round trips in nanoseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { warm_up = 200 };

static void fail(const char *why) {
    fprintf(stderr, "round-trips: %s\n", why);
    exit(1);
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

// Reads one answer into the buffer; its length must be told by Content-Length.
static void receive(int connection, char *buffer, size_t size) {
    size_t length = 0, whole = 0;
    while (!whole || length < whole) {
        ssize_t got = read(connection, buffer + length, size - 1 - length);
        if (got <= 0) fail("the service has closed the connection");
        length += got;
        buffer[length] = 0;
        char *body = strstr(buffer, "\r\n\r\n");
        if (body && !whole) {
            char *field = strcasestr(buffer, "\r\ncontent-length:");
            if (!field || field > body) fail("the answer has no Content-Length");
            whole = (body + 4 - buffer) + strtoul(field + 17, NULL, 10);
            if (whole >= size) fail("the answer is too long");
        }
    }
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage: round-trips PORT SAMPLES PAUSE");
    int samples = atoi(arguments[2]), pause = atoi(arguments[3]), on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    const char *request = "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nPrefer: wait=10\r\n"
                          "Content-Length: 32\r\n\r\n{\"handler\":\"square\",\"payload\":7}";
    long *taken = calloc(samples, sizeof *taken);
    static char answer[65536];
    for (int i = -warm_up; i < samples; i++) {
        if (pause) usleep(pause);
        long start = now();
        if (write(connection, request, strlen(request)) != (ssize_t)strlen(request)) fail("cannot send");
        receive(connection, answer, sizeof answer);
        if (i >= 0) taken[i] = now() - start;
        if (strncmp(answer, "HTTP/1.1 200", 12) || !strstr(answer, "\"result\":49")) fail(answer);
    }
    qsort(taken, samples, sizeof *taken, ascending);
    printf("%ld %ld\n", taken[samples / 2], taken[samples * 99 / 100]);
}
