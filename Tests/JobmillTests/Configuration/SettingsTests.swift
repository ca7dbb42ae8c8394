import Foundation
import JobModel
import Testing

@testable import Jobmill

@Suite struct SettingsTests {
    private let catalog = HandlerCatalog(own: ["image.blur"], demo: ["square", "fail"])

    private func configuration(_ settings: Settings, token: String? = nil) throws(ConfigurationError)
        -> ServiceConfiguration
    {
        try ServiceConfiguration(
            settings, catalog: catalog, token: token, environment: ["PATH": "/usr/bin:/bin"],
            report: ConfigurationReport())
    }

    private func problems(_ settings: Settings, token: String? = nil) -> [String] {
        do throws(ConfigurationError) {
            _ = try configuration(settings, token: token)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func theStrongerSourceCountsWhereItSaysSomething() {
        var (flags, file) = (Settings(), Settings())
        flags.workers = 2
        flags.handlers = [HandlerSettings(name: "a", runtime: .exec(["flag"]))]
        file.workers = 8
        file.grace = 5
        file.handlers = [
            HandlerSettings(name: "a", runtime: .exec(["file"])), HandlerSettings(name: "b", runtime: .lines(["file"])),
        ]
        let both = flags.over(file)
        #expect(both.workers == 2)
        #expect(both.grace == 5)
        #expect(both.handlers.map(\.name) == ["a", "b"])
        #expect(both.handlers[0].runtime == .exec(["flag"]))
    }

    @Test func readsTheEnvironment() throws {
        let report = ConfigurationReport()
        let settings = Settings(
            environment: [
                "JOBMILL_WORKERS": "4", "JOBMILL_FILES": "/a:/b", "JOBMILL_GRACE": "500ms", "JOBMILL_MAX_BODY": "2MiB",
                "JOBMILL_DEMO": "true", "JOBMILL_DEFAULT_TIMEOUT": "1m", "JOBMILL_TOKEN": "secret", "PATH": "/bin",
                "JOBMILL_LISTEN": "", "JOBMILL_DATA": "",
            ], report: report)
        #expect(report.problems.isEmpty)
        #expect(settings.listen == nil && settings.data == nil)
        #expect(settings.workers == 4)
        #expect(settings.files == ["/a", "/b"])
        #expect(settings.grace == 0.5)
        #expect(settings.maximumBodyBytes == 2 << 20)
        #expect(settings.demo == true)
        #expect(settings.defaultTimeout == 60)
    }

    @Test func aVariableThatIsAlmostRightIsAMistake() {
        let report = ConfigurationReport()
        _ = Settings(
            environment: [
                "JOBMILL_WORKER": "4", "JOBMILL_TOKENFILE": "/t", "JOBMILL_IMAGE_PIXELS": "9",
                "JOBMILL_SERVER": "http://a",
                "JOBMILL_CONFIG": "/c", "JOBMILL_PORT": "tcp://10.0.0.1:8080", "JOBMILL_SERVICE_HOST": "10.0.0.1",
                "JOBMILL_JOB": "job_1", "JOBMILL_BATCH": "bat_1", "MY_JOBMILL_WORKER": "1",
            ], report: report)
        #expect(
            report.problems.map(\.description) == [
                "JOBMILL_TOKENFILE: there is no such variable; did you mean JOBMILL_TOKEN_FILE?",
                "JOBMILL_WORKER: there is no such variable; did you mean JOBMILL_WORKERS?",
            ])
    }

    @Test func everyWrongVariableIsToldByName() {
        let environment = [
            "JOBMILL_WORKERS": "0", "JOBMILL_GRACE": "-1", "JOBMILL_DEMO": "yes", "JOBMILL_MAX_BODY": "1",
            "JOBMILL_TOKEN_FILE": "",
        ]
        let report = ConfigurationReport()
        _ = Settings(environment: environment, report: report)
        #expect(report.problems.count == environment.count)
        #expect(Set(report.problems.map(\.place.source)) == Set(environment.keys))
    }

    @Test func handlersOfTheProgramTakeTheirRulesFromTheSettings() throws {
        var settings = Settings()
        var blur = HandlerSettings(name: "image.blur", runtime: .compiledIn)
        blur.limits.timeout = 5
        settings.handlers = [blur, HandlerSettings(name: "count", runtime: .exec(["wc"]))]
        let served = try configuration(settings)
        #expect(served.handlers.map(\.name) == ["count", "image.blur"])
        #expect(served.handlers[1].limits.timeout == 5)
        settings.demo = true
        let all = try configuration(settings).handlers.map(\.name)
        #expect(all == ["count", "fail", "image.blur", "square"])
    }

    @Test func everythingThatDoesNotFitTogetherIsTold() {
        var settings = Settings()
        settings.listen = "0.0.0.0:80"
        settings.files = ["/nowhere"]
        settings.handlers = [
            HandlerSettings(name: "square", runtime: .compiledIn),
            HandlerSettings(name: "image.blur", runtime: .exec(["blur"])),
        ]
        #expect(
            problems(settings) == [
                "--listen 0.0.0.0:80: lets other machines in: set JOBMILL_TOKEN or --token-file, or say --insecure-no-token if "
                    + "everybody who can connect may submit work",
                "--files: there is no folder /nowhere; make it first",
                "handler square: it is not compiled in; there are image.blur",
                "handler image.blur: a handler with this name is compiled in; choose another name",
            ])
        #expect(problems(settings, token: "a token that is long").count == 3)
        settings.listen = "nonsense"
        #expect(problems(settings)[0] == "--listen nonsense: write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }
}
