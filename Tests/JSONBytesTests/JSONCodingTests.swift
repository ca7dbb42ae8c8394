import FoundationEssentials
import JSONBytes
import Testing

@Suite struct JSONCodingTests {
    private struct Note: Codable, Equatable {
        var path: String
        var at: Date
    }

    @Test func writesSortedCompactText() throws {
        let note = Note(path: "a/b", at: Date(timeIntervalSince1970: 1_769_847_300.125))
        let data = try JSONCoding.encoder().encode(note)
        #expect(String(decoding: data, as: UTF8.self) == #"{"at":"2026-01-31T08:15:00.125Z","path":"a/b"}"#)
        #expect(try JSONCoding.decoder().decode(Note.self, from: data) == note)
    }

    @Test(arguments: [
        ("2026-01-31T08:15:00Z", 1_769_847_300), ("2026-01-31T08:15:00.5Z", 1_769_847_300.5),
        ("2026-01-31T10:15:00+02:00", 1_769_847_300),
    ])
    func readsDates(_ text: String, _ seconds: Double) throws {
        let date = try JSONCoding.decoder().decode(Date.self, from: Data("\"\(text)\"".utf8))
        #expect(date.timeIntervalSince1970 == seconds)
    }

    @Test(arguments: ["\"yesterday\"", "\"2026-01-31\"", "5", "\"\""])
    func refusesOtherDates(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONCoding.decoder().decode(Date.self, from: Data(text.utf8)) }
    }
}
