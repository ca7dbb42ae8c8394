import JSONBytes
import Testing

/// A JSON value as a tree, to write and to read back.
indirect enum Tree: Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    case array([Tree])
    case object([Member])

    struct Member: Equatable {
        var key: String
        var value: Tree
    }

    static func random(depth: Int, using random: inout SeededGenerator) -> Tree {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .boolean(.random(using: &random))
        case 2: return .integer(Int(truncatingIfNeeded: random.next()) >> Int.random(in: 0..<64, using: &random))
        case 3:
            return .double(
                .random(in: 0.1...0.9, using: &random) * ([1, 1e-300, 1e300, -1e10].randomElement(using: &random) ?? 1))
        case 4, 5: return .string(randomString(using: &random))
        case 6:
            return .array(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    Member(key: randomString(using: &random), value: .random(depth: depth - 1, using: &random))
                })
        }
    }

    private static func randomString(using random: inout SeededGenerator) -> String {
        let characters: [Character] = [
            "a", "b", "\"", "\\", "/", "\n", "\u{1}", "\u{1F}", "\u{7F}", "é", "€", "😀", "{", "]", ",", ":", "\0",
        ]
        return String(
            (0..<Int.random(in: 0...40, using: &random)).map { _ in characters.randomElement(using: &random) ?? "a" })
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .boolean(let flag): writer.value(flag)
        case .integer(let number): writer.value(number)
        case .double(let number): writer.value(number)
        case .string(let string): writer.value(string)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(named: member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    init(_ value: JSONValue) throws {
        switch value.kind {
        case .null: self = .null
        case .boolean: self = .boolean(try #require(value.boolean() as Bool?))
        case .string: self = .string(try #require(value.string()))
        case .array: self = .array(try value.elements().map(Tree.init))
        case .object: self = .object(try value.members().map { Member(key: $0.key, value: try Tree($0.value)) })
        case .number:
            let isInteger = value.bytes.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
            self = isInteger ? .integer(try #require(value.integer())) : .double(try #require(value.double()))
        }
    }
}
