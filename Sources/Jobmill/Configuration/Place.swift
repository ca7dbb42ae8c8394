/// Where somebody said something about the service.
struct Place: Hashable, Sendable {
    /// The file, the flag with its value, or the variable of the environment.
    var source: String
    /// From 1; nil outside of files.
    var line: Int?
    /// Keys with dots between them; nil outside of files.
    var key: String?
}

/// The places of settings, by the keys that lead to them in a file.
struct Places: Hashable, Sendable {
    private var places: [[String]: Place] = [:]

    subscript(path: String...) -> Place? {
        get { places[path] }
        set { places[path] = newValue }
    }

    mutating func note(_ place: Place, at path: [String]) { places[path] = place }

    /// The place of a setting, or of the first of the sections around it that has one.
    func nearest(_ path: [String]) -> Place? {
        for length in stride(from: path.count, to: 0, by: -1) {
            if let place = places[Array(path.prefix(length))] { return place }
        }
        return nil
    }

    /// These, and those of a weaker source for what is not said here. A handler, or a list, is said as a whole.
    func over(_ weaker: Places) -> Places {
        let said = Set(places.keys.map(Places.whole))
        var both = self
        both.places.merge(weaker.places.filter { !said.contains(Places.whole($0.key)) }) { own, _ in own }
        return both
    }

    private static func whole(_ path: [String]) -> [String] { Array(path.prefix(path.first == "handlers" ? 2 : 1)) }
}
