import CCurl

package enum HTTPDate {
    /// Unix seconds of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`, in any of the forms of RFC 9110; nil if it is none.
    package static func unixSeconds(_ text: String) -> Int64? {
        let seconds = curl_getdate(text, nil)
        return seconds < 0 ? nil : Int64(seconds)
    }
}
