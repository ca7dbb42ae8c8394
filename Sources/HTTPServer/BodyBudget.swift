/// How many bytes of request bodies are in memory, of all connections together. Belongs to the server's thread.
struct BodyBudget {
    private let limit: Int
    private(set) var used = 0

    init(limit: Int) { self.limit = limit }

    /// False, and nothing is taken, if there is no room. A body that is larger than the whole budget has room when it is alone.
    mutating func take(_ bytes: Int) -> Bool {
        guard used == 0 || bytes <= limit - used else { return false }
        used += bytes
        return true
    }

    mutating func giveBack(_ bytes: Int) { used -= bytes }
}
