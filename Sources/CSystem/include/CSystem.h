// What Swift cannot call directly: fork, descriptor passing, process control. Imported by Platform only.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <signal.h>
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

/// Makes a file that has no name in the file system of `folder`, open for reading and writing; it is gone with its last
/// descriptor unless it is linked. EOPNOTSUPP where the file system has no such files.
int csystem_open_unnamed(int folder, unsigned mode);

/// glibc's fork, which Swift hides because it is unsafe in a process with threads.
pid_t csystem_fork(void);

/// Starts `path` (without a slash: looked for in PATH) in a session of its own, with no signal blocked or handled, `/dev/null`
/// as its standard input, its standard output on the caller's standard error, `channel` as descriptor 3, and nothing else of
/// the caller's. `environment_entries` ("NAME=value", NULL behind the last) are added to the caller's environment or replace
/// what is there. `folder`, unless NULL, becomes its working folder. Returns 0 or an errno.
int csystem_spawn(const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
                  char *_Nullable const *_Nonnull environment_entries, const char *_Nullable folder, int channel,
                  pid_t *_Nonnull process);

/// What a command is started with.
struct csystem_command {
    const char *_Nonnull path;
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    /// Where it runs; NULL: where the caller does.
    const char *_Nullable folder;
    /// What become its descriptors 0, 1 and 2; none of them is one of these already.
    int input;
    int output;
    int errors;
};

/// Starts a command in the caller's process group, with no signal blocked or handled and nothing of the caller's descriptors. The
/// kernel kills it when the calling thread ends. The caller sleeps until the program is loaded: its memory is lent, not copied.
/// Returns 0 or an errno.
int csystem_start_command(const struct csystem_command *_Nonnull command, pid_t *_Nonnull process);

/// The environment of this process, with a null pointer behind it. Not while another thread changes it.
char *_Nullable *_Nullable csystem_environment(void);

/// A descriptor, closed on exec, that is readable from the end of a child on.
int csystem_exit_descriptor(pid_t process);

/// How many bytes lie in a pipe; either end will do.
int csystem_unread_bytes(int pipe);

/// A child may use as much more processor time as the caller still may: the seconds that it then has used, 0 if that is not limited.
/// `for_good`: it dies a second later if it does not mind SIGXCPU, and never gets more.
int64_t csystem_share_cpu_limit(pid_t process, int for_good);

/// Sends up to two pieces of bytes as one message, with descriptors attached. Never raises SIGPIPE.
ssize_t csystem_send(int socket, const void *_Nullable first, size_t first_count, const void *_Nullable second,
                     size_t second_count, const int *_Nullable descriptors, int descriptor_count);

/// Receives bytes and up to `descriptor_capacity` (at most 8) descriptors, which are closed on exec. Those beyond the
/// capacity are closed by the kernel.
ssize_t csystem_receive(int socket, void *_Nonnull bytes, size_t capacity, int *_Nonnull descriptors,
                        int descriptor_capacity, int *_Nonnull descriptor_count);

/// Makes a pipe whose ends (for reading, for writing) are closed on exec.
int csystem_pipe(int *_Nonnull ends);

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

/// A signal that has arrived.
struct csystem_signal {
    int number;
    /// 1: the kernel has sent it by itself; 0: a process has.
    int is_from_kernel;
    /// That process; 0 if it is in a foreign process namespace.
    pid_t sender;
};

/// Sleeps until a signal of the set, which is blocked in all threads, arrives.
int csystem_await_signal(const sigset_t *_Nonnull set, struct csystem_signal *_Nonnull signal);

/// Whether the action for a signal is to ignore it.
int csystem_is_ignored(int number);

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

/// Sleeps until a process has ended (a child still has to be reaped). Returns 1, or 0 after so many milliseconds.
int csystem_await_end(pid_t process, int milliseconds);

// What a worker process arranges for itself.

/// Closes every open descriptor from `lowest` to `highest`.
int csystem_close_range(int lowest, int highest);

/// `number` becomes a copy of `descriptor`, closed on exec.
int csystem_copy_descriptor(int descriptor, int number);

/// Takes `csystem_die_with_parent` back.
int csystem_outlive_parent(void);

/// Writes out what C's standard output holds back.
void csystem_flush_output(void);

/// How many descriptors may be open from here on; more than the hard limit allows counts as that.
int csystem_limit_files(uint64_t count);

/// How many may be open now; 0 if that cannot be told.
uint64_t csystem_file_limit(void);

/// The processor time that this process has used, and those of its children that it has waited for, in nanoseconds.
/// `peak`: gets the largest resident set size of this process, in bytes.
int64_t csystem_resources(int64_t *_Nonnull peak);

/// The processor time that a process has used, without its children, in nanoseconds; 0 if that cannot be told.
int64_t csystem_processor_time_of(pid_t process);

/// The largest resident set size of a child that has ended and was not waited for yet, in bytes; 0 if that cannot be told.
int64_t csystem_peak_of_ended(pid_t process);

/// The largest resident set size of a process (0: of this one) is measured from here on, where the system allows it.
void csystem_forget_peak(pid_t process);

/// What this process may allow itself at most: open descriptors, or (`of_time`) seconds of processor time; 0 if that cannot be
/// told.
uint64_t csystem_hard_limit(int of_time);

/// SIGXCPU comes when the process has used so many seconds of processor time more than by now, rounded up to whole seconds in
/// all; 0: never.
int csystem_limit_cpu(double seconds);

/// From here on, what this process forks (not what it starts as another program) is known as a copy, and has `channel` closed.
/// To be called once.
int csystem_know_copies(int channel);

/// Whether this process is such a copy.
int csystem_is_copy(void);

/// SIGTERM is noted and written to the eventfd instead of ending the process.
int csystem_catch_termination(int event);

/// SIGTERM ends the process again.
int csystem_release_termination(void);

/// Whether SIGTERM has been noted since the process began.
int csystem_termination_requested(void);

/// The eventfd of the last csystem_catch_termination; -1 if there was none.
int csystem_termination_event(void);

#endif
