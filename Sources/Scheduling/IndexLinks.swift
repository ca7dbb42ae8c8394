/// One list of places, first to last. Its links are kept in an `IndexLinks`.
struct IndexList: Sendable {
    fileprivate(set) var first: Int?
    fileprivate(set) var last: Int?
    fileprivate(set) var count = 0

    var isEmpty: Bool { count == 0 }
}

/// The links of lists over the places of an array: each place is in one list at most, and leaves it in constant time from
/// wherever it is.
struct IndexLinks: Sendable {
    private struct Link: Sendable {
        var previous: Int?
        var next: Int?
    }

    private var links: [Link] = []

    mutating func append(_ place: Int, to list: inout IndexList) {
        while links.count <= place { links.append(Link()) }
        links[place] = Link(previous: list.last, next: nil)
        if let last = list.last { links[last].next = place } else { list.first = place }
        list.last = place
        list.count += 1
    }

    /// The place must be in the list.
    mutating func remove(_ place: Int, from list: inout IndexList) {
        let link = links[place]
        if let previous = link.previous { links[previous].next = link.next } else { list.first = link.next }
        if let next = link.next { links[next].previous = link.previous } else { list.last = link.previous }
        links[place] = Link()
        list.count -= 1
    }

    /// The one behind a place that is in a list.
    func next(after place: Int) -> Int? { links[place].next }
}
