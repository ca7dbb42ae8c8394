import Foundation
import JobModel
import Testing

@testable import Jobmill

/// The example in `deploy`, as it is and with everything that is commented out.
@Suite struct ExampleFileTests {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../deploy/jobmill.example.yaml").standardizedFileURL.path

    @Test func itSaysTheDefaults() throws {
        let report = ConfigurationReport()
        func configuration(_ settings: Settings) throws -> ServiceConfiguration {
            try ServiceConfiguration(
                settings, catalog: HandlerCatalog(own: [], demo: []), token: nil, environment: [:], report: report)
        }
        let example = try configuration(try Settings(readingFile: Self.path, report: report))
        let plain = try configuration(Settings())
        #expect(example.listen == plain.listen)
        #expect(example.workers == plain.workers)
        #expect(example.followsCPUs == plain.followsCPUs)
        #expect(example.gracePeriod == plain.gracePeriod)
        #expect(example.defaultTimeout == plain.defaultTimeout)
        #expect(example.maximumBodyBytes == plain.maximumBodyBytes)
        #expect(example.allowsPrivateWebhooks == plain.allowsPrivateWebhooks)
        #expect(example.handlers == [])
    }

    @Test func whatIsCommentedOutIsSoundToo() throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        // A comment that begins like a setting, in contrast to a sentence.
        let setting = /^( *)# ( *)([a-z_.]+: ?.*)$/.anchorsMatchLineEndings()
        let full = text.replacing(setting) { "\($0.1)\($0.2)\($0.3)" }
        let report = ConfigurationReport()
        let settings = try Settings(yaml: full, file: "/etc/jobmill.yaml", report: report)
        #expect(report.problems.isEmpty)
        #expect(settings.handlers.map(\.name) == ["resize", "total", "translate", "image.blur"])
        #expect(settings.handlers.last?.recycling.jobs == 1000)
        #expect(settings.handlers.last?.queue == "pictures")
        #expect(settings.queues.map(\.name) == ["pictures"])
        #expect(settings.tokenFile == "/run/secrets/jobmill")
    }
}
