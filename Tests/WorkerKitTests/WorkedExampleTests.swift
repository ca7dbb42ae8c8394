import JobModel
import Testing

@testable import WorkerKit

/// The example of the page "Bring a Swift handler", as it stands there.
@Suite struct WorkedExampleTests {
    struct Order: Decodable {
        var item: String
        var count: Int
    }

    struct Price: Encodable {
        var cents: Int
    }

    struct Catalogue {
        var cents: [String: Int]

        static func load() throws -> Catalogue { Catalogue(cents: ["pear": 40]) }
    }

    private let handlers = [
        Handler("price", prepare: { try Catalogue.load() }) { (order: Order, catalogue: Catalogue, context) -> Price in
            guard let cents = catalogue.cents[order.item] else {
                throw JobError("there is no \(order.item)", type: "NoSuchItem")
            }
            context.add(order.count, to: "items")
            return Price(cents: cents * order.count)
        }
    ]

    private func run(_ payload: String) throws -> String {
        let context = JobContext(batch: BatchID(ULID(high: 1, low: 2)), index: 0, attempt: 1)
        guard case .single(let runner) = try handlers[0].prepared().runnable().work else { return "" }
        var buffer = ResultBuffer()
        try Array(payload.utf8).withUnsafeBytes { try runner.run($0, into: &buffer, context) }
        return String(decoding: buffer.text, as: UTF8.self)
    }

    @Test func tellsThePrice() throws {
        #expect(try run(#"{"item": "pear", "count": 3}"#) == #"{"cents":120}"#)
    }

    @Test func saysWhatIsWrong() {
        func failure(_ payload: String) -> Failure? {
            do {
                _ = try run(payload)
                return nil
            } catch {
                return Failure(thrown: error)
            }
        }
        #expect(
            failure(#"{"item": "fig", "count": 3}"#)
                == Failure(kind: .exception, message: "there is no fig", type: "NoSuchItem"))
        #expect(failure(#"{"item": "pear"}"#)?.message == "the payload lacks /count")
    }
}
