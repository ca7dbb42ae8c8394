#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Runs in the memory of the parent, which sleeps: system calls only. Returns only what went wrong.
static int become(const struct csystem_command *command, pid_t parent) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        // Fails for SIGKILL, SIGSTOP and the two that glibc keeps for itself, which is as it should be.
        sigaction(number, &standard, NULL);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    if (getppid() != parent) return ESRCH;
    if (command->folder && chdir(command->folder) != 0) return errno;
    if (dup2(command->input, 0) < 0 || dup2(command->output, 1) < 0 || dup2(command->errors, 2) < 0) return errno;
    if (close_range(3, ~0U, 0) != 0) return errno;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(command->path, command->arguments, command->environment);
    return errno;
}

int csystem_start_command(const struct csystem_command *command, pid_t *process) {
    // What lies on a standard stream would be overwritten before its turn.
    if (command->input < 3 || command->output < 3 || command->errors < 3) return EINVAL;
    sigset_t all, before;
    sigfillset(&all);
    // No handler of the parent's may run in the child, as it would run on the parent's memory.
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    volatile int code = 0;
    pid_t child = vfork();
    if (child == 0) {
        code = become(command, parent);
        _exit(127);
    }
    if (child < 0) code = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (code == 0) {
        *process = child;
    } else if (child > 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    return code;
}

int csystem_exit_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int csystem_unread_bytes(int pipe) {
    int count = 0;
    return ioctl(pipe, FIONREAD, &count) == 0 ? count : -1;
}

/// Processor time used so far, in whole seconds, rounded up.
static rlim_t used_seconds(clockid_t clock) {
    struct timespec used = {0, 0};
    clock_gettime(clock, &used);
    return (rlim_t)used.tv_sec + (used.tv_nsec > 0);
}

int64_t csystem_share_cpu_limit(pid_t process, int for_good) {
    struct rlimit limit;
    clockid_t clock;
    if (getrlimit(RLIMIT_CPU, &limit) != 0) return -1;
    if (limit.rlim_cur < limit.rlim_max) {
        int code = clock_getcpuclockid(process, &clock);
        if (code != 0) {
            errno = code;
            return -1;
        }
        rlim_t own = used_seconds(CLOCK_PROCESS_CPUTIME_ID);
        rlim_t left = limit.rlim_cur > own ? limit.rlim_cur - own : 1;
        limit.rlim_cur = used_seconds(clock) + left;
        if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
        if (for_good && limit.rlim_cur < limit.rlim_max) limit.rlim_max = limit.rlim_cur + 1;
        return prlimit(process, RLIMIT_CPU, &limit, NULL) != 0 ? -1 : (int64_t)limit.rlim_cur;
    }
    return prlimit(process, RLIMIT_CPU, &limit, NULL) != 0 ? -1 : 0;
}

char **csystem_environment(void) { return environ; }
