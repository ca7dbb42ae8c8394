import HTTPServer
import JSONBytes
import JobStore

/// Why a request is refused, as RFC 9457 wants it told. The one place where errors get their form.
struct Problem: Error, Sendable {
    var status: Int
    /// A URI reference that names the kind of problem; nil: `about:blank`, the status says it all.
    var type: String?
    var title: String
    /// A sentence or two for a person.
    var detail: String
    var errors: [FieldError] = []
    /// The URI reference of what the problem happened to.
    var instance: String?
    /// Further members, by the kind of problem.
    var members: [(name: String, json: JSON)] = []
    var headers: [(String, String)] = []

    init(
        _ status: Int, type: String? = nil, title: String? = nil, detail: String, errors: [FieldError] = [],
        instance: String? = nil, members: [(name: String, json: JSON)] = [], headers: [(String, String)] = []
    ) {
        self.status = status
        self.type = type.map { "/problems/\($0)" }
        self.title = title ?? Problem.phrase(of: status)
        self.detail = detail
        self.errors = errors
        self.instance = instance
        self.members = members
        self.headers = headers
    }

    var response: HTTPResponse {
        var writer = JSONWriter(reservingCapacity: 256)
        writer.beginObject()
        writer.key("type")
        writer.value(type ?? "about:blank")
        writer.key("title")
        writer.value(title)
        writer.key("status")
        writer.value(status)
        writer.key("detail")
        writer.value(detail)
        if let instance {
            writer.key("instance")
            writer.value(instance)
        }
        if !errors.isEmpty {
            writer.key("errors")
            writer.beginArray()
            for error in errors { error.write(to: &writer) }
            writer.endArray()
        }
        for member in members {
            writer.key(named: member.name)
            writer.raw(member.json)
        }
        writer.endObject()
        return .of(status, type: "application/problem+json", headers: headers, .bytes(writer.finish().bytes))
    }

    private static func phrase(of status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Error"
        }
    }
}

/// One thing that is wrong with a request, and where.
struct FieldError: Sendable, Hashable {
    enum Place: Sendable, Hashable {
        /// A JSON Pointer (RFC 6901) into the body.
        case pointer(String)
        /// The name of a query parameter.
        case parameter(String)
    }

    var place: Place
    /// Such as "must be an integer from 1 to 100".
    var detail: String

    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("detail")
        writer.value(detail)
        switch place {
        case .pointer(let pointer):
            writer.key("pointer")
            writer.value(pointer)
        case .parameter(let name):
            writer.key("parameter")
            writer.value(name)
        }
        writer.endObject()
    }
}
