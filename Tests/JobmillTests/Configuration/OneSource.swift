@testable import Jobmill

// For tests of a single source, whose problems are thrown like those of all sources together.

extension Settings {
    init(yaml text: String, file: String) throws(ConfigurationError) {
        let report = ConfigurationReport()
        try self.init(yaml: text, file: file, report: report)
        try report.throwIfAny()
    }
}

extension ServiceConfiguration {
    init(_ settings: Settings, catalog: HandlerCatalog, token: String? = nil) throws(ConfigurationError) {
        try self.init(
            settings, catalog: catalog, token: token, environment: ["PATH": "/usr/bin:/bin"],
            report: ConfigurationReport())
    }
}
