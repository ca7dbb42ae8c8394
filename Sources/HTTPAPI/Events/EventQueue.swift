import JobModel

/// Events on their way to one client, who may be slow: it then loses events, the oldest first.
struct EventQueue: Sendable {
    /// What an event tells of. A newer one takes the place of one that still waits.
    enum Subject: Hashable, Sendable {
        case batch(BatchID)
        case progress(JobID)
        case dropped(JobID)
    }

    private struct Entry: Sendable {
        var subject: Subject?
        /// Empty: taken back.
        var bytes: [UInt8]
    }

    private let limit: Int
    private var entries: [Entry] = []
    /// The first entry that was not taken back, and where subjects are.
    private var first = 0
    private var places: [Subject: Int] = [:]
    private(set) var bytes = 0
    private var leftOut = 0

    /// - Parameter limit: bytes that may wait; one event may in any case.
    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { bytes == 0 }
    /// Places in memory, those of events that were taken back included.
    var slots: Int { entries.count }

    /// - Parameter subject: nil: the event is not superseded by others.
    mutating func push(_ event: [UInt8], about subject: Subject? = nil) {
        if let subject {
            if let place = places[subject] { remove(place) }
            places[subject] = entries.count
        }
        entries.append(Entry(subject: subject, bytes: event))
        bytes += event.count
        while bytes > limit, first < entries.count - 1 {
            if !entries[first].bytes.isEmpty {
                leftOut += 1
                remove(first)
            }
            first += 1
        }
        if entries.count > 1024, (entries.count - first) * 2 < entries.count { compact() }
    }

    /// All that waits, in order.
    mutating func take() -> [UInt8] {
        var text: [UInt8] = leftOut > 0 ? EventText.leftOut(leftOut) : []
        text.reserveCapacity(text.count + bytes)
        for entry in entries[first...] { text += entry.bytes }
        self = EventQueue(limit: limit)
        return text
    }

    private mutating func remove(_ place: Int) {
        bytes -= entries[place].bytes.count
        if let subject = entries[place].subject { places[subject] = nil }
        entries[place] = Entry(subject: nil, bytes: [])
    }

    private mutating func compact() {
        entries.removeFirst(first)
        for subject in Array(places.keys) { places[subject]? -= first }
        first = 0
    }
}
