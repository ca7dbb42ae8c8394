// What Swift cannot call directly: fork, descriptor passing, process control. Imported by Platform only.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/types.h>

// Unless stated otherwise: 0 (or a count) on success, -1 with errno set on failure.

/// How many CPUs the scheduler lets this process run on, or -1 with errno set.
int csystem_affinity_count(void);

/// Names the calling thread; the kernel keeps the first 15 bytes.
void csystem_name_thread(const char *_Nonnull name);

/// Opens what exists below `folder`; EXDEV if the path leads out, be it through "..", a symbolic link or a leading slash.
/// ENOSYS or EPERM where kernel or sandbox do not have openat2.
int csystem_open_beneath(int folder, const char *_Nonnull path, int flags);

/// glibc's fork, which Swift hides because it is unsafe in a process with threads.
pid_t csystem_fork(void);

/// Starts `path` in a session of its own, with no signal blocked or handled, `/dev/null` as its standard input, its
/// standard output on the caller's standard error, `channel` as descriptor 3, and nothing else of the caller's.
/// `environment_entry` ("NAME=value") is added to the caller's environment or replaces what is there.
/// Returns 0 or an errno.
int csystem_spawn(const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
                  const char *_Nonnull environment_entry, int channel, pid_t *_Nonnull process);

/// Sends up to two pieces of bytes as one message, with descriptors attached. Never raises SIGPIPE.
ssize_t csystem_send(int socket, const void *_Nullable first, size_t first_count, const void *_Nullable second,
                     size_t second_count, const int *_Nullable descriptors, int descriptor_count);

/// Receives bytes and up to `descriptor_capacity` (at most 8) descriptors, which are closed on exec. Those beyond the
/// capacity are closed by the kernel.
ssize_t csystem_receive(int socket, void *_Nonnull bytes, size_t capacity, int *_Nonnull descriptors,
                        int descriptor_capacity, int *_Nonnull descriptor_count);

/// Closes every descriptor from `lowest` on.
int csystem_close_from(int lowest);

/// The kernel kills this process when the thread that is its parent ends. Cleared by fork.
int csystem_die_with_parent(void);

/// Descendants whose parent dies become children of this process, which has to reap them.
int csystem_adopt_orphans(void);

/// No core files from here on.
int csystem_no_core_files(void);

/// Every signal gets its default action and none stays blocked.
void csystem_reset_signals(void);

/// C's standard output is written line by line, also into a pipe or a file.
void csystem_buffer_lines(void);

/// A memory file of exactly `size` bytes, closed on exec. It is sealed: nobody who holds it can shrink it under another
/// process's mapping.
int csystem_memory_file(const char *_Nonnull name, size_t size);

struct csystem_exit {
    pid_t process;
    /// The exit status, or -1 if a signal ended the process.
    int exit_code;
    /// The signal that ended it, or 0.
    int signal;
    double cpu_seconds;
    int64_t peak_resident_bytes;
};

/// Reaps one child that has ended and kills what is left of its process group. `process` is a child, 0 for any, or the
/// negative of a process group for any child in it. Returns 1 if there was one, 0 if not.
int csystem_reap(pid_t process, struct csystem_exit *_Nonnull result);

/// Sleeps until a child has ended (it still has to be reaped). Returns 1, or 0 after so many milliseconds.
int csystem_await_end(pid_t process, int milliseconds);

#endif
