// libcurl for Swift: its variadic calls behind typed ones. Imported by HTTPClient only.
#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

#include <curl/curl.h>

static inline CURLcode ccurl_set_long(CURL *_Nonnull handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

/// The text is copied by libcurl.
static inline CURLcode ccurl_set_text(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

/// The list must live until the transfer has ended.
static inline CURLcode ccurl_set_list(CURL *_Nonnull handle, CURLoption option, struct curl_slist *_Nullable list) {
    return curl_easy_setopt(handle, option, list);
}

/// A request body; the bytes are not copied and must live until the transfer has ended. (Without a pointer libcurl would ask a
/// read callback, even for an empty body.)
static inline CURLcode ccurl_set_body(CURL *_Nonnull handle, const void *_Nullable bytes, curl_off_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_POSTFIELDS, bytes ? bytes : "");
}

/// At least CURL_ERROR_SIZE bytes that live as long as the handle.
static inline CURLcode ccurl_set_error_buffer(CURL *_Nonnull handle, char *_Nonnull buffer) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}

typedef size_t (*ccurl_bytes_callback)(char *_Nonnull bytes, size_t size, size_t count, void *_Nonnull context);
typedef curl_socket_t (*ccurl_open_socket_callback)(void *_Nonnull context, curlsocktype purpose,
                                                    struct curl_sockaddr *_Nonnull address);
typedef int (*ccurl_before_request_callback)(void *_Nonnull context, char *_Nullable remote_address,
                                             char *_Nullable local_address, int remote_port, int local_port);

/// All callbacks of a transfer; they get the same context.
struct ccurl_callbacks {
    ccurl_bytes_callback _Nonnull header_line;
    ccurl_bytes_callback _Nonnull body;
    ccurl_open_socket_callback _Nonnull open_socket;
    ccurl_before_request_callback _Nonnull before_request;
};

static inline CURLcode ccurl_set_callbacks(CURL *_Nonnull handle, struct ccurl_callbacks callbacks,
                                           void *_Nonnull context) {
    CURLcode code;
    if ((code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, callbacks.header_line))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callbacks.body))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callbacks.open_socket))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context))) return code;
    if ((code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callbacks.before_request))) return code;
    return curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
}

/// The `errno` of the last failed system call of a transfer, 0 if none failed.
static inline long ccurl_system_error(CURL *_Nonnull handle) {
    long number = 0;
    return curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &number) == CURLE_OK ? number : 0;
}

/// Where the address really is: it is longer than the `struct sockaddr` that the declaration shows.
static inline const struct sockaddr *_Nonnull ccurl_socket_address(const struct curl_sockaddr *_Nonnull address) {
    return &address->addr;
}

/// How the one transfer of a multi handle ended, or CURLE_AGAIN while it has not.
static inline CURLcode ccurl_multi_result(CURLM *_Nonnull multi) {
    int left = 0;
    CURLMsg *message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_AGAIN;
}

#endif
