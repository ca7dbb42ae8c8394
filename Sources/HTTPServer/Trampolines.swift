import CMicroHTTPD
import Glibc

/// The C functions that libmicrohttpd calls, always on the server's thread. Each recovers an object and calls one method.
///
/// The objects outlive the calls: the loop outlives its daemon; a connection stays in the loop's table from `started` to
/// `closed`, an exchange in its connection from its request line to `request_ended`; a feed is retained by its response.
enum Trampolines {
    static let requestLine:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, OpaquePointer) -> UnsafeMutableRawPointer? = {
            context, target, handle in
            guard let context, let connection = cmhd_socket_context(handle) else { return nil }
            let loop = Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
            let exchange = loop.beginExchange(
                on: Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue(), target: bytes(of: target))
            return Unmanaged.passUnretained(exchange).toOpaque()
        }

    static let access: MHD_AccessHandlerCallback = { _, _, _, method, version, part, count, context in
        guard let method, let version, let count, let exchange = context?.pointee else { return cmhd_no }
        let part = part.map { UnsafeRawBufferPointer(start: $0, count: count.pointee) }
        let goesOn = Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue()
            .advance(method: bytes(of: method), version: bytes(of: version), part: part)
        // What is left over; every part is taken whole.
        count.pointee = 0
        return goesOn ? cmhd_yes : cmhd_no
    }

    static let requestEnded: MHD_RequestCompletedCallback = { context, handle, _, _ in
        guard let context, let handle, let connection = cmhd_socket_context(handle) else { return }
        Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
            .endExchange(on: Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue())
    }

    static let connectionChanged: MHD_NotifyConnectionCallback = { context, handle, socketContext, change in
        guard let context, let handle, let socketContext else { return }
        let loop = Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue()
        if change == cmhd_connection_started {
            socketContext.pointee = Unmanaged.passUnretained(loop.open(handle)).toOpaque()
        } else if let connection = socketContext.pointee {
            loop.close(Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue())
        }
    }

    static let log: MHD_LogCallback = { context, format, _ in
        guard let context, let format, strstr(format, "Content-Length") != nil else { return }
        Unmanaged<ServerLoop>.fromOpaque(context).takeUnretainedValue().lengthIsRefused()
    }

    static let header: MHD_KeyValueIteratorN = { context, _, name, nameCount, value, valueCount in
        guard let context, let name, let value else { return cmhd_no }
        let scan = context.assumingMemoryBound(to: HeadScan.self)
        let goesOn = scan.pointee.visit(name: bytes(of: name, nameCount), value: bytes(of: value, valueCount))
        return goesOn ? cmhd_yes : cmhd_no
    }

    static let readBody: MHD_ContentReaderCallback = { context, _, buffer, count in
        guard let context, let buffer else { return cmhd_end_with_error }
        return Unmanaged<BodyFeed>.fromOpaque(context).takeUnretainedValue()
            .fill(UnsafeMutableRawBufferPointer(start: buffer, count: count))
    }

    static let releaseFeed: MHD_ContentReaderFreeCallback = { context in
        if let context { Unmanaged<BodyFeed>.fromOpaque(context).release() }
    }

    private static func bytes(of text: UnsafePointer<CChar>) -> UnsafeBufferPointer<UInt8> {
        bytes(of: text, strlen(text))
    }

    private static func bytes(of text: UnsafePointer<CChar>, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: count)
    }
}
