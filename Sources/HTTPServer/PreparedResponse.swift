import CMicroHTTPD

/// A response in libmicrohttpd's form; given back when this goes away, whatever the connection still needs stays.
struct PreparedResponse: ~Copyable {
    let handle: OpaquePointer

    /// A body of up to this many bytes is copied; a larger one is fed.
    static let copyLimit = 32_768
    private static let feedBlock = 65_536
    /// A stream is written through the connection's own memory; only HTTP/1.0 clients get it through a block.
    private static let streamBlock = 4096

    /// A body that is none or copied. Nil if libmicrohttpd has no memory.
    init?(copying bytes: [UInt8]) {
        let handle = bytes.withUnsafeBytes { cmhd_response_from_bytes($0.count, $0.baseAddress) }
        guard let handle else { return nil }
        self.handle = handle
    }

    /// - Parameter count: nil for a stream of unknown length.
    init?(feeding feed: BodyFeed, count: Int?) {
        // Balanced by Trampolines.releaseFeed, which libmicrohttpd calls when the response is destroyed.
        let context = Unmanaged.passRetained(feed)
        let handle = MHD_create_response_from_callback(
            count.map(UInt64.init) ?? cmhd_size_unknown, count == nil ? Self.streamBlock : Self.feedBlock,
            Trampolines.readBody, context.toOpaque(), Trampolines.releaseFeed)
        guard let handle else {
            context.release()
            return nil
        }
        self.handle = handle
    }

    /// For HEAD: libmicrohttpd sends the last chunk of a stream even where no body may follow. So there are no chunks, and the
    /// connection closes.
    borrowing func leaveOutChunks() {
        cmhd_end_with_connection(handle)
    }

    deinit {
        MHD_destroy_response(handle)
    }

    /// False if the name or the value is not allowed in a header.
    borrowing func addHeader(_ name: String, _ value: String) -> Bool {
        // Handing strings over as they are would copy each before libmicrohttpd copies it again.
        name.withCString { name in
            value.withCString { value in MHD_add_response_header(handle, name, value) == cmhd_yes }
        }
    }
}
