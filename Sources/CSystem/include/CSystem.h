// What Swift cannot call directly: fork, descriptor passing, process control. Imported by Platform only.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

/// How many CPUs the scheduler lets this process run on, or -1 with errno set.
int csystem_affinity_count(void);

/// Names the calling thread; the kernel keeps the first 15 bytes.
void csystem_name_thread(const char *_Nonnull name);

#endif
