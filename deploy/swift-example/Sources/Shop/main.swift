import Jobmill
import WorkerKit

struct Order: Decodable {
    var item: String
    var count: Int
}

struct Price: Encodable {
    var cents: Int
}

Jobmill.main(handlers: [
    Handler("price", prepare: { try Catalogue.load() }) { (order: Order, catalogue: Catalogue, context) -> Price in
        guard let cents = catalogue.cents[order.item] else {
            throw JobError("there is no \(order.item)", type: "NoSuchItem")
        }
        context.add(order.count, to: "items")
        return Price(cents: cents * order.count)
    }
])
