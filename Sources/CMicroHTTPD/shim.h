// libmicrohttpd for Swift: its variadic calls with fixed arguments, its answers as plain numbers. Imported by HTTPServer only.
#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

// The library's enums are closed and its macros carry casts; neither reaches Swift by name.
static const enum MHD_Result cmhd_yes = MHD_YES;
static const enum MHD_Result cmhd_no = MHD_NO;
static const uint64_t cmhd_size_unknown = MHD_SIZE_UNKNOWN;
static const ssize_t cmhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t cmhd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;
static const enum MHD_ConnectionNotificationCode cmhd_connection_started = MHD_CONNECTION_NOTIFY_STARTED;

struct cmhd_options {
  /// Listening and non-blocking; the daemon takes it over.
  int listening_socket;
  unsigned int connection_limit;
  /// Connections of one address; 0 means no limit.
  unsigned int address_limit;
  size_t connection_memory_bytes;
  unsigned int idle_timeout_seconds;
  /// Handed to every callback.
  void *_Nonnull context;
  MHD_AccessHandlerCallback _Nonnull access;
  void *_Nullable (*_Nonnull request_line)(void *_Nullable, const char *_Nonnull, struct MHD_Connection *_Nonnull);
  MHD_RequestCompletedCallback _Nonnull request_ended;
  MHD_NotifyConnectionCallback _Nonnull connection_changed;
  /// Hears of everything that goes wrong, before the client does.
  MHD_LogCallback _Nonnull log;
};

// Paths and queries are decoded by the caller, strictly, from the raw target.
static size_t cmhd_keep_escaped(void *_Nullable context, struct MHD_Connection *_Nullable connection,
                                char *_Nonnull text) {
  (void)context;
  (void)connection;
  return strlen(text);
}

/// A daemon without a thread of its own, driven by `MHD_run` when its epoll descriptor is readable or its wait is over.
static inline struct MHD_Daemon *_Nullable cmhd_start(const struct cmhd_options *_Nonnull options) {
  return MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, options->access, options->context,
      MHD_OPTION_EXTERNAL_LOGGER, options->log, options->context,
      MHD_OPTION_LISTEN_SOCKET, options->listening_socket,
      MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->address_limit,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
      MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_seconds,
      MHD_OPTION_UNESCAPE_CALLBACK, cmhd_keep_escaped, NULL,
      MHD_OPTION_URI_LOG_CALLBACK, options->request_line, options->context,
      MHD_OPTION_NOTIFY_COMPLETED, options->request_ended, options->context,
      MHD_OPTION_NOTIFY_CONNECTION, options->connection_changed, options->context,
      MHD_OPTION_END);
}

/// -1 if the daemon has none.
static inline int cmhd_epoll_descriptor(struct MHD_Daemon *_Nonnull daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info == NULL ? -1 : info->epoll_fd;
}

/// How long the daemon may be left alone while its descriptor is quiet; -1 means without limit.
static inline int64_t cmhd_milliseconds_to_wait(struct MHD_Daemon *_Nonnull daemon) {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon, &milliseconds) == MHD_NO) return -1;
  return milliseconds > INT32_MAX ? INT32_MAX : (int64_t)milliseconds;
}

/// -1 if unknown.
static inline int cmhd_socket(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

static inline const struct sockaddr *_Nullable cmhd_client_address(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}

/// What the connection-changed callback stored for the socket.
static inline void *_Nullable cmhd_socket_context(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == NULL ? NULL : info->socket_context;
}

/// Bytes from the method's first one to the end of the empty line.
static inline size_t cmhd_header_size(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == NULL ? 0 : info->header_size;
}

/// The first field of that name; NULL if there is none.
static inline const char *_Nullable cmhd_header(struct MHD_Connection *_Nonnull connection, const char *_Nonnull name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/// Bytes that the client's system has not taken yet.
static inline int cmhd_unsent(int socket) {
  int count = 0;
  return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : 0;
}

static inline int cmhd_header_count(struct MHD_Connection *_Nonnull connection) {
  return MHD_get_connection_values(connection, MHD_HEADER_KIND, NULL, NULL);
}

static inline void cmhd_each_header(struct MHD_Connection *_Nonnull connection, MHD_KeyValueIteratorN _Nonnull visit,
                                    void *_Nonnull context) {
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, visit, context);
}

/// The bytes are copied.
static inline struct MHD_Response *_Nullable cmhd_response_from_bytes(size_t count, const void *_Nullable bytes) {
  return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

/// A body of unknown length ends with its connection instead of a last chunk.
static inline void cmhd_end_with_connection(struct MHD_Response *_Nonnull response) {
  MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

#endif
