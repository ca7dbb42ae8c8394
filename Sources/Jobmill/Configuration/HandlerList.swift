/// The handlers that are served: the program's own and those of the settings.
struct HandlerList {
    private let settings: Settings
    private let report: ConfigurationReport

    init(_ settings: Settings, report: ConfigurationReport) {
        self.settings = settings
        self.report = report
    }

    /// All of them by name, the program's own with their rules from the settings.
    func merge(own: [String], demo: [String]) -> [HandlerSettings] {
        var handlers: [String: HandlerSettings] = [:]
        for name in own + demo { handlers[name] = HandlerSettings(name: name, runtime: .compiledIn) }
        for handler in settings.handlers {
            switch (handler.runtime, handlers[handler.name]) {
            case (.compiledIn, nil):
                // If nobody knows whether the demo handlers are there, they may be.
                if report.concerns(["demo"]) { continue }
                let names = (own + demo).sorted().joined(separator: ", ")
                report.add(
                    settings.place(of: handler, "compiled_in"),
                    names.isEmpty
                        ? "this program has no handlers compiled in" : "it is not compiled in; there are \(names)")
            case (.unreadable, .some):
                // Most likely it should say compiled_in.
                continue
            case (.compiledIn, .some), (_, nil):
                handlers[handler.name] = handler
            case (_, .some):
                report.add(
                    settings.place(of: handler), "a handler with this name is compiled in; choose another name")
            }
        }
        return handlers.values.sorted { $0.name < $1.name }
    }
}

extension Settings {
    /// Where a handler, or something about it, stands.
    func place(of handler: HandlerSettings, _ key: String? = nil) -> Place {
        places.nearest(["handlers", handler.name] + (key.map { [$0] } ?? []))
            ?? Place(source: "handler \(handler.name)")
    }
}
