#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t csystem_fork(void) { return fork(); }

/// Whether two entries ("NAME=value") have the same name.
static int same_name(const char *left, const char *right) {
    size_t length = (size_t)(strchrnul(right, '=') - right);
    return strncmp(left, right, length) == 0 && left[length] == '=';
}

/// The caller's environment with `entries` in place of what has the same names. The strings are shared, the array is new.
static char **environment_with(char *const *entries) {
    size_t count = 0, added = 0;
    while (environ[count]) count++;
    while (entries[added]) added++;
    char **copy = calloc(count + added + 1, sizeof *copy);
    if (!copy) return NULL;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int replaced = 0;
        for (size_t j = 0; j < added && !replaced; j++) replaced = same_name(environ[i], entries[j]);
        if (!replaced) copy[used++] = environ[i];
    }
    memcpy(copy + used, entries, added * sizeof *copy);
    return copy;
}

int csystem_spawn(const char *path, char *const *arguments, char *const *environment_entries, const char *folder,
                  int channel, pid_t *process) {
    char **environment = environment_with(environment_entries);
    if (!environment) return ENOMEM;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);

    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    int code = posix_spawnattr_setflags(&attributes,
                                        POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    // The channel comes first: its number may be one of those that are replaced afterwards.
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, channel, 3);
    if (!code) code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (!code) code = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (!code && folder) code = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!code) code = posix_spawnp(process, path, &actions, &attributes, arguments, environment);

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return code;
}

int csystem_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

int csystem_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int csystem_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int csystem_no_core_files(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

void csystem_reset_signals(void) {
    for (int number = 1; number < NSIG; number++) {
        // Fails for SIGKILL, SIGSTOP and the two that glibc keeps for itself, which is as it should be.
        signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int csystem_await_signal(const sigset_t *set, struct csystem_signal *signal) {
    siginfo_t info;
    int number = sigwaitinfo(set, &info);
    if (number < 0) return -1;
    signal->number = number;
    // What processes can send has codes up to zero: SI_USER, SI_TKILL, SI_QUEUE.
    signal->is_from_kernel = info.si_code > 0;
    signal->sender = signal->is_from_kernel ? 0 : info.si_pid;
    return 0;
}

int csystem_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void csystem_buffer_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

int csystem_memory_file(const char *name, size_t size) {
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return -1;
    if (ftruncate(file, (off_t)size) != 0 ||
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int code = errno;
        close(file);
        errno = code;
        return -1;
    }
    return file;
}

int csystem_reap(pid_t process, struct csystem_exit *result) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    idtype_t which = process > 0 ? P_PID : process < 0 ? P_PGID : P_ALL;
    if (waitid(which, (id_t)abs(process), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return errno == ECHILD ? 0 : -1;
    }
    if (info.si_pid == 0) return 0;
    // Its number cannot be taken by somebody else before it is waited for: this hits its own group or nobody.
    kill(-info.si_pid, SIGKILL);

    int status = 0;
    struct rusage usage;
    if (wait4(info.si_pid, &status, 0, &usage) != info.si_pid) return -1;
    result->process = info.si_pid;
    result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                          (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    result->peak_resident_bytes = (int64_t)usage.ru_maxrss * 1024;
    return 1;
}

int csystem_await_end(pid_t process, int milliseconds) {
    int file = (int)syscall(SYS_pidfd_open, process, 0);
    if (file < 0) return errno == ESRCH ? 1 : -1;
    struct pollfd ended = {.fd = file, .events = POLLIN};
    int count = poll(&ended, 1, milliseconds);
    int code = errno;
    close(file);
    errno = code;
    return count;
}
