/// What one source (the flags, the environment, the file) says about the service; nil where it says nothing.
struct Settings: Hashable, Sendable {
    /// `HOST:PORT`.
    var listen: String?
    /// Folder of the store.
    var data: String?
    var workers: Int?
    var demo: Bool?
    /// Folders below which handlers may read and write files.
    var files: [String]?
    var tokenFile: String?
    /// Seconds.
    var grace: Double?
    /// Seconds; 0: none.
    var defaultTimeout: Double?
    var maximumBodyBytes: Int?
    var allowsPrivateWebhooks: Bool?
    var insecureNoToken: Bool?
    var handlers: [HandlerSettings] = []
    /// Only in the file.
    var queues: [QueueRule] = []
    /// Where it says what it says.
    var places = Places()

    /// These settings, and those of a weaker source where these say nothing. Of two handlers with one name the stronger counts.
    func over(_ weaker: Settings) -> Settings {
        var settings = self
        settings.listen = listen ?? weaker.listen
        settings.data = data ?? weaker.data
        settings.workers = workers ?? weaker.workers
        settings.demo = demo ?? weaker.demo
        settings.files = files ?? weaker.files
        settings.tokenFile = tokenFile ?? weaker.tokenFile
        settings.grace = grace ?? weaker.grace
        settings.defaultTimeout = defaultTimeout ?? weaker.defaultTimeout
        settings.maximumBodyBytes = maximumBodyBytes ?? weaker.maximumBodyBytes
        settings.allowsPrivateWebhooks = allowsPrivateWebhooks ?? weaker.allowsPrivateWebhooks
        settings.insecureNoToken = insecureNoToken ?? weaker.insecureNoToken
        if queues.isEmpty { settings.queues = weaker.queues }
        settings.handlers += weaker.handlers.filter { other in !handlers.contains { $0.name == other.name } }
        settings.places = places.over(weaker.places)
        return settings
    }
}
