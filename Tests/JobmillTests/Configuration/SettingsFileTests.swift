import Foundation
import JobModel
import PythonRuntime
import Testing

@testable import Jobmill

@Suite struct SettingsFileTests {
    private func problems(_ text: String) -> [String] {
        let report = ConfigurationReport()
        _ = report.gather { () throws(ConfigurationError) in
            try Settings(yaml: text, file: "jobmill.yaml", report: report)
        }
        return report.error.problems.map(\.description)
    }

    @Test func readsEverySetting() throws {
        let report = ConfigurationReport()
        let file = try Settings(
            yaml: """
                listen: 127.0.0.1:9000
                data: store
                workers: 3
                demo: true
                files: [pictures, /srv/images]
                token_file: ../token
                grace: 2m
                default_timeout: 90
                max_body: 128MiB
                allow_private_webhooks: true
                insecure_no_token: false
                handlers:
                  blur:
                    python: tasks:process_image
                    interpreter: .venv/bin/python
                    folder: app
                    initializer: warm_up
                    starmap: true
                    environment: {OMP_NUM_THREADS: "1"}
                    timeout: 30
                    memory: 512MiB
                    cpu: 20
                    open_files: 64
                    output: 1MiB
                    concurrency: 2
                    max_attempts: 5
                    backoff: {initial: 2, factor: 3, max: 1h, jitter: 0}
                    recycle: {jobs: 1000, memory: 1GiB, age: 1h}
                  count:
                    lines: wc -l
                  square:
                    compiled_in: true
                    timeout: 500ms
                """, file: "/etc/jobmill/jobmill.yaml", report: report)
        #expect(report.problems.isEmpty)
        #expect(file.listen == "127.0.0.1:9000")
        #expect(file.data == "/etc/jobmill/store")
        #expect(file.workers == 3)
        #expect(file.demo == true)
        #expect(file.files == ["/etc/jobmill/pictures", "/srv/images"])
        #expect(file.tokenFile == "/etc/token")
        #expect(file.grace == 120)
        #expect(file.defaultTimeout == 90)
        #expect(file.maximumBodyBytes == 128 << 20)
        #expect(file.allowsPrivateWebhooks == true)
        #expect(file.insecureNoToken == false)
        #expect(file.handlers.map(\.name) == ["blur", "count", "square"])

        let blur = file.handlers[0]
        #expect(
            blur.runtime
                == .python(
                    HandlerSettings.PythonSettings(
                        function: try PythonFunction(parsing: "tasks:process_image"),
                        interpreter: "/etc/jobmill/.venv/bin/python",
                        initializer: "warm_up", starmap: true)))
        #expect(blur.folder == "/etc/jobmill/app")
        #expect(blur.environment == ["OMP_NUM_THREADS": "1"])
        #expect(
            blur.limits
                == HandlerLimits(
                    timeout: 30, residentBytes: 512 << 20, cpuSeconds: 20, openFiles: 64, outputBytes: 1 << 20))
        #expect(blur.recycling == RecyclingPolicy(jobs: 1000, residentBytes: 1 << 30, age: 3600))
        #expect(blur.concurrency == 2)
        #expect(blur.maximumAttempts == 5)
        #expect(blur.backoff == Backoff(initial: 2, factor: 3, maximum: 3600, jitter: 0))
        #expect(file.handlers[1].runtime == .lines(["wc", "-l"]))
        #expect(file.handlers[2].runtime == .compiledIn)
        #expect(file.handlers[2].limits.timeout == 0.5)
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "handlers:\n", "handlers: {}\n"])
    func anEmptyFileSaysNothing(text: String) throws {
        let settings = try Settings(yaml: text, file: "a.yaml", report: ConfigurationReport())
        #expect(settings.listen == nil && settings.handlers.isEmpty)
    }

    @Test func everyProblemIsToldWithItsLineAndTheFix() {
        let found = problems(
            """
            lisen: 127.0.0.1:9000
            workers: many
            grace: soon
            handlers:
              blur:
                python: tasks
                timeout: 0
                memory: 3
                recycle: {job: 5}
              empty: {}
              both:
                exec: /bin/true
                lines: /bin/cat
              "no good":
                exec: /bin/true
              cat: /bin/cat
              env:
                exec: /bin/true
                environment: {JOBMILL_JOB: "1"}
                starmap: true
              square:
                compiled_in: true
                folder: here
              cube:
                compiled_in: false
            """)
        #expect(
            found == [
                "jobmill.yaml:1: lisen: there is no such setting; did you mean listen?",
                "jobmill.yaml:2: workers: must be a whole number from 1 to 1024",
                "jobmill.yaml:3: grace: must be a duration from 0 to 604800 s, such as 30, 500ms, 2m or 1h",
                "jobmill.yaml:6: handlers.blur.python: write MODULE:FUNCTION, such as tasks:process_image",
                "jobmill.yaml:7: handlers.blur.timeout: must be a duration from 0.001 to 604800 s, such as 30, 500ms, 2m or 1h",
                "jobmill.yaml:8: handlers.blur.memory: must be a size from 1048576 to 1125899906842624 bytes, such as 65536, 512MiB or 2GiB",
                "jobmill.yaml:9: handlers.blur.recycle.job: there is no such setting; did you mean jobs?",
                "jobmill.yaml:10: handlers.empty: say what runs it: python: MODULE:FUNCTION, lines: COMMAND, exec: COMMAND or compiled_in: true",
                "jobmill.yaml:12: handlers.both: choose one of lines, exec",
                "jobmill.yaml:15: handlers.no good: \"no good\" cannot be a name: \(HandlerSettings.nameRule)",
                "jobmill.yaml:16: handlers.cat: must be a section of its own: keys with values, indented below it",
                "jobmill.yaml:19: handlers.env.environment: JOBMILL_JOB is set by the service itself; choose another name",
                "jobmill.yaml:20: handlers.env.starmap: is only for a handler with python:",
                "jobmill.yaml:23: handlers.square.folder: is only for a handler with python:, lines: or exec:",
                "jobmill.yaml:25: handlers.cube.compiled_in: can only be true; leave the handler out if it is not wanted",
            ])
    }

    @Test(arguments: [
        ("- a\n- b\n", "jobmill.yaml:1: must be settings: one \"key: value\" on each line"),
        ("a: [1,\n", "jobmill.yaml:2: this is no YAML: did not find expected node content"),
        ("{demo: true, demo: false}", "jobmill.yaml:1: a setting may be there once only: demo"),
        (
            "demo: true\nhandlers:\n  dog:\n    # exec: dog\n",
            "jobmill.yaml:3: handlers.dog: say what runs it: python: MODULE:FUNCTION, lines: COMMAND, exec: COMMAND or "
                + "compiled_in: true"
        ),
    ])
    func whatIsNoConfigurationIsToldByLine(text: String, message: String) {
        #expect(problems(text) == [message])
    }

    @Test func whatIsThereTwiceDoesNotHideTheRest() {
        let found = problems(
            """
            # Settings
            demo: true
            files:
            - a
            handlers:
              cat:
                exec: cat
                exec: dog
              "cat":
                timeout: never

                lines: cat
              dog: {exec: dog, cpu: 0}
            files:
            - b
            grace: never
            """)
        #expect(
            found == [
                "jobmill.yaml:8: a setting may be there once only: exec, see line 7",
                "jobmill.yaml:9: a setting may be there once only: cat, see line 6",
                "jobmill.yaml:13: handlers.dog.cpu: must be a duration from 1 to 604800 s, such as 30, 500ms, 2m or 1h",
                "jobmill.yaml:14: a setting may be there once only: files, see line 3",
                "jobmill.yaml:16: grace: must be a duration from 0 to 604800 s, such as 30, 500ms, 2m or 1h",
            ])
    }

    @Test func aFileThatCannotBeReadIsToldByName() throws {
        func refusal(_ path: String) -> String? {
            let error = #expect(throws: ConfigurationError.self) {
                try Settings(readingFile: path, report: ConfigurationReport())
            }
            return error?.problems.first?.description
        }
        #expect(refusal("/nowhere/jobmill.yaml") == "/nowhere/jobmill.yaml: there is no such file")
        #expect(try Settings(readingFile: "/dev/null", report: ConfigurationReport()).handlers.isEmpty)
        #expect(
            refusal("/dev/zero")
                == "/dev/zero: this is no regular file, and SIGHUP reads settings again: write them into one"
        )
        #expect(refusal("/etc") == "/etc: this is a folder: name the file, such as /etc/jobmill.yaml")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data([0xFF, 0xFE]).write(to: file)
        #expect(refusal(file.path) == "\(file.path): the file is no UTF-8 text")
    }
}
