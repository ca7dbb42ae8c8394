import JSONBytes
import JobModel

/// Reads the optional fields of a submission one by one.
struct OptionsReader {
    private let reader: SubmissionReader
    private(set) var options: BatchOptions
    private var saysAttempts = false
    private var saysBackoff = false
    private var saysQueue = false

    init(reader: SubmissionReader) {
        self.reader = reader
        options = BatchOptions(timeout: reader.defaultTimeout)
    }

    /// False if there is no option of this name.
    mutating func read(_ name: String, _ value: JSONValue, _ errors: inout FieldErrors) -> Bool {
        switch name {
        case "queue":
            saysQueue = true
            errors.set(&options.queue, at: .pointer("/queue"), to: try OptionRules.queue(value.string()))
        case "priority":
            errors.set(&options.priority, at: .pointer("/priority"), to: try OptionRules.priority(value.integer()))
        case "chunk_size":
            errors.set(
                &options.chunkSize, at: .pointer("/chunk_size"),
                to: try OptionRules.chunkSize(word: value.string(), number: value.integer()))
        case "max_attempts":
            saysAttempts = true
            errors.set(
                &options.retries.maximumAttempts, at: .pointer("/max_attempts"),
                to: try OptionRules.maximumAttempts(value.integer()))
        case "timeout":
            if value.kind == .null {
                options.timeout = nil
            } else {
                errors.set(&options.timeout, at: .pointer("/timeout"), to: try OptionRules.timeout(value.double()))
            }
        case "backoff":
            saysBackoff = true
            options.retries.backoff = backoff(value, &errors)
        case "callback": options.callback = callback(value, &errors)
        case "metadata": options.metadata = metadata(value, &errors)
        default: return false
        }
        return true
    }

    /// What the submission leaves open is as the handler has it.
    mutating func fillGaps(from handler: HandlerDescription) {
        if !saysAttempts, let attempts = handler.maximumAttempts { options.retries.maximumAttempts = attempts }
        if !saysBackoff, let backoff = handler.backoff { options.retries.backoff = backoff }
        if !saysQueue, let queue = handler.queue { options.queue = queue }
    }

    private func backoff(_ value: JSONValue, _ errors: inout FieldErrors) -> Backoff {
        var backoff = Backoff()
        var fields = Fields(of: value, at: "/backoff", &errors)
        while let (name, value) = fields.next(&errors) {
            let place = fields.place(of: name)
            let number = value.double()
            switch name {
            case "initial":
                errors.set(&backoff.initial, at: place, to: try OptionRules.rest(number))
            case "factor":
                errors.set(&backoff.factor, at: place, to: try OptionRules.factor(number))
            case "max":
                errors.set(&backoff.maximum, at: place, to: try OptionRules.rest(number))
            case "jitter":
                errors.set(&backoff.jitter, at: place, to: try OptionRules.jitter(number))
            default: fields.refuse(name, &errors)
            }
        }
        if errors.isEmpty, backoff.initial > backoff.maximum {
            errors.add(fields.place(of: "initial"), "must not be longer than max, which is \(backoff.maximum)")
        }
        return backoff
    }

    private func callback(_ value: JSONValue, _ errors: inout FieldErrors) -> Callback? {
        if value.kind == .null { return nil }
        var url: String?
        var secret: String?
        var events: [String]?
        var fields = Fields(of: value, at: "/callback", &errors)
        while let (name, value) = fields.next(&errors) {
            let place = fields.place(of: name)
            switch name {
            case "url": url = errors.check(place, try callbackURL(value.string()))
            case "events": events = self.events(value, &errors)
            case "secret":
                secret = errors.check(place, try self.secret(value.string()))
            default: fields.refuse(name, &errors)
            }
        }
        fields.require(["url"], &errors)
        guard let url else { return nil }
        var callback = Callback(url: url, secret: secret)
        if let events { callback.events = events }
        return callback
    }

    private func callbackURL(_ text: String?) throws(Complaint) -> String {
        guard let text else { throw Complaint("must be a string") }
        guard text.utf8.count <= OptionRules.maximumURLBytes else {
            throw Complaint("must have at most \(OptionRules.maximumURLBytes) bytes")
        }
        if let problem = reader.callbackURLProblem(text) { throw Complaint(problem) }
        return text
    }

    private func secret(_ text: String?) throws(Complaint) -> String {
        guard let text else { throw Complaint("must be a string") }
        if let problem = reader.secretProblem(text) { throw Complaint(problem) }
        return text
    }

    private func events(_ value: JSONValue, _ errors: inout FieldErrors) -> [String]? {
        guard value.kind == .array else {
            errors.add(.pointer("/callback/events"), "must be an array of names of events")
            return nil
        }
        var events: [String] = []
        // There are fewer events than that, so what is beyond has an error before it.
        let elements = value.elements(atMost: FieldErrors.maximumCount)
        for (index, element) in elements.enumerated() {
            let place = FieldError.Place.pointer("/callback/events/\(index)")
            let event = errors.check(place, try OptionRules.event(element.string()))
            guard let event else { continue }
            if events.contains(event) { errors.add(place, "is there twice") } else { events.append(event) }
        }
        if elements.isEmpty { errors.add(.pointer("/callback/events"), "must name at least one event") }
        return events
    }

    private func metadata(_ value: JSONValue, _ errors: inout FieldErrors) -> [UInt8]? {
        if value.kind == .null { return nil }
        guard value.kind == .object else {
            errors.add(.pointer("/metadata"), "must be an object")
            return nil
        }
        guard value.range.count <= reader.limits.maximumMetadataBytes else {
            errors.add(.pointer("/metadata"), "must have at most \(reader.limits.maximumMetadataBytes) bytes")
            return nil
        }
        return Array(value.bytes)
    }
}
