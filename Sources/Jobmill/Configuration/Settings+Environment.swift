// JOBMILL_TOKEN is no setting: it is a secret, see TokenSource.

extension Settings {
    /// The environment's names of settings, as the help tells them.
    static let environmentNames = [
        "JOBMILL_LISTEN", "JOBMILL_DATA", "JOBMILL_WORKERS", "JOBMILL_DEMO", "JOBMILL_FILES", "JOBMILL_TOKEN_FILE",
        "JOBMILL_GRACE", "JOBMILL_DEFAULT_TIMEOUT", "JOBMILL_MAX_BODY",
    ]

    /// What else there is that the program knows, here or elsewhere.
    private static let otherNames = ["JOBMILL_TOKEN", "JOBMILL_CONFIG", "JOBMILL_SERVER", "JOBMILL_IMAGE_PIXELS"]

    /// What the environment says. A variable that is empty says nothing, and one with a name that is almost right is a mistake.
    init(environment: [String: String], report: ConfigurationReport) {
        self.init()
        func read<Value>(_ name: String, _ key: String, _ rule: String, _ convert: (String) -> Value?) -> Value? {
            guard let text = environment[name], !text.isEmpty else { return nil }
            guard let value = convert(text) else {
                report.add(Place(source: name), "\"\(text)\": \(rule)")
                return nil
            }
            places[key] = Place(source: name)
            return value
        }
        let known = Settings.environmentNames + Settings.otherNames
        // Others are somebody else's: Kubernetes, for one, sets JOBMILL_PORT beside a service of that name.
        for name in environment.keys.sorted() where name.hasPrefix("JOBMILL_") && !known.contains(name) {
            guard let near = Spelling.nearest(to: name, among: known) else { continue }
            report.add(Place(source: name), "there is no such variable; did you mean \(near)?")
        }
        let seconds = "must be a duration up to 604800 s, such as 30, 500ms or 2m"
        listen = read("JOBMILL_LISTEN", "listen", "") { $0 }
        data = read("JOBMILL_DATA", "data", "") { $0 }
        workers = read("JOBMILL_WORKERS", "workers", "choose from 1 to 1024") {
            Int($0).flatMap { (1...1024).contains($0) ? $0 : nil }
        }
        demo = read("JOBMILL_DEMO", "demo", "must be true or false") { Bool($0) }
        files = read("JOBMILL_FILES", "files", "") { $0.split(separator: ":").map(String.init) }
        tokenFile = read("JOBMILL_TOKEN_FILE", "token_file", "") { $0 }
        if environment["JOBMILL_TOKEN_FILE"] == "" {
            // Who meant to protect the service would not notice that it is not.
            report.add(Place(source: "JOBMILL_TOKEN_FILE"), "is empty: name the file that holds the token, or unset it")
        }
        grace = read("JOBMILL_GRACE", "grace", seconds, Settings.seconds)
        defaultTimeout = read("JOBMILL_DEFAULT_TIMEOUT", "default_timeout", seconds, Settings.seconds)
        maximumBodyBytes = read("JOBMILL_MAX_BODY", "max_body", "must be a size from 1MiB to 4GiB") { text in
            Measure.bytes(text).flatMap { (1 << 20...1 << 32).contains($0) ? $0 : nil }
        }
    }

    private static func seconds(_ text: String) -> Double? {
        Measure.seconds(text).flatMap { (0...604_800).contains($0) ? $0 : nil }
    }
}
