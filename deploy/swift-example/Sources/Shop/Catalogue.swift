/// What every worker needs to know. It is loaded once and shared by all of them.
struct Catalogue {
    var cents: [String: Int]

    static func load() throws -> Catalogue { Catalogue(cents: ["apple": 40, "pear": 55, "quince": 120]) }
}
