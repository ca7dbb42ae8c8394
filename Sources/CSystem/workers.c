#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int csystem_close_range(int lowest, int highest) { return close_range((unsigned)lowest, (unsigned)highest, 0); }

int csystem_copy_descriptor(int descriptor, int number) { return dup3(descriptor, number, O_CLOEXEC); }

int csystem_outlive_parent(void) { return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); }

void csystem_flush_output(void) { fflush(stdout); }

int csystem_limit_files(uint64_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t csystem_file_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

static int64_t nanoseconds(const struct rusage *usage) {
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000 +
           (int64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

int64_t csystem_resources(int64_t *_Nonnull peak) {
    struct rusage own, children;
    *peak = 0;
    if (getrusage(RUSAGE_SELF, &own) != 0 || getrusage(RUSAGE_CHILDREN, &children) != 0) return 0;
    *peak = (int64_t)own.ru_maxrss * 1024;
    return nanoseconds(&own) + nanoseconds(&children);
}

int64_t csystem_processor_time_of(pid_t process) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t csystem_peak_of_ended(pid_t process) {
    siginfo_t info;
    struct rusage usage;
    memset(&info, 0, sizeof info);
    // The C library's waitid has no place for what the kernel's tells of use.
    if (syscall(SYS_waitid, P_PID, process, &info, WEXITED | WNOHANG | WNOWAIT, &usage) != 0) return 0;
    return info.si_pid == process ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

void csystem_forget_peak(pid_t process) {
    char path[40] = "/proc/self/clear_refs";
    if (process > 0) snprintf(path, sizeof path, "/proc/%d/clear_refs", process);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t written = write(file, "5", 1);
    (void)written;
    close(file);
}

uint64_t csystem_hard_limit(int of_time) {
    struct rlimit limit;
    if (getrlimit(of_time ? RLIMIT_CPU : RLIMIT_NOFILE, &limit) != 0) return 0;
    return limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
}

int csystem_limit_cpu(double seconds) {
    struct rlimit limit;
    struct rusage usage;
    if (getrlimit(RLIMIT_CPU, &limit) != 0 || getrusage(RUSAGE_SELF, &usage) != 0) return -1;
    limit.rlim_cur = limit.rlim_max;
    if (seconds > 0) {
        double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        double end = ceil(used + seconds);
        if (end < 1e15 && (rlim_t)end < limit.rlim_max) limit.rlim_cur = (rlim_t)end;
    }
    return setrlimit(RLIMIT_CPU, &limit);
}

static atomic_int is_copy;
static int channel_of_copies = -1;

static void become_copy(void) {
    atomic_store(&is_copy, 1);
    close(channel_of_copies);
}

int csystem_know_copies(int channel) {
    channel_of_copies = channel;
    return pthread_atfork(NULL, NULL, become_copy);
}

int csystem_is_copy(void) { return atomic_load_explicit(&is_copy, memory_order_relaxed); }

static atomic_int termination_requested;
static atomic_int termination_event = -1;

static void request_termination(int number) {
    (void)number;
    int code = errno;
    atomic_store(&termination_requested, 1);
    eventfd_write(atomic_load(&termination_event), 1);
    errno = code;
}

int csystem_catch_termination(int event) {
    struct sigaction action = {.sa_handler = request_termination, .sa_flags = SA_RESTART};
    atomic_store(&termination_event, event);
    return sigaction(SIGTERM, &action, NULL);
}

int csystem_release_termination(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    return sigaction(SIGTERM, &action, NULL);
}

int csystem_termination_event(void) { return atomic_load(&termination_event); }

int csystem_termination_requested(void) { return atomic_load_explicit(&termination_requested, memory_order_acquire); }
