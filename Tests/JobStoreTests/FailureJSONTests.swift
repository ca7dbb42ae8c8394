import JSONBytes
import JobModel
import JobStore
import Testing

@Suite struct FailureJSONTests {
    private func readBack(_ failure: Failure) throws -> Failure? {
        Failure(try JSON(validating: failure.json).value)
    }

    @Test(arguments: Failure.Kind.allCases)
    func everyKindComesBack(kind: Failure.Kind) throws {
        let failure = Failure(kind: kind, message: "a \"quoted\"\n sentence with \u{1F600} and \u{1}")
        #expect(try readBack(failure) == failure)
    }

    @Test func everythingAboutADeathComesBack() throws {
        let death = DeathCertificate(
            processID: 4711, exitCode: nil, signal: "SIGSEGV", cpuSeconds: 0.25, peakResidentBytes: 5_000_000_000,
            wallSeconds: 1.5, standardError: "Segmentation\tfault")
        let failure = Failure(kind: .signal, message: "m", type: "T", traceback: "a\nb", death: death)
        #expect(try readBack(failure) == failure)

        let exit = Failure(kind: .exit, message: "m", death: DeathCertificate(processID: 1, exitCode: 3))
        #expect(try readBack(exit) == exit)
    }

    @Test func theTextHasTheDocumentedFields() {
        let death = DeathCertificate(
            processID: 12, signal: "SIGKILL", cpuSeconds: 1, peakResidentBytes: 2, wallSeconds: 3)
        let failure = Failure(kind: .timeout, message: "too slow", death: death)
        #expect(
            String(decoding: failure.json, as: UTF8.self) == """
                {"kind":"timeout","message":"too slow","signal":"SIGKILL",\
                "certificate":{"pid":12,"cpu_seconds":1.0,"peak_resident_bytes":2,"wall_seconds":3.0}}
                """)
    }

    @Test(arguments: [
        "[]", "{}", #"{"kind":"exception"}"#, #"{"kind":"unheard_of","message":"m"}"#, #"{"kind":1,"message":"m"}"#,
    ])
    func whatIsNoErrorObjectIsRefused(text: String) throws {
        #expect(Failure(try JSON(validating: Array(text.utf8)).value) == nil)
    }

    @Test func unknownFieldsArePassedOver() throws {
        let text =
            #"{"kind":"exit","message":"m","new":{"kind":"timeout"},"exit_code":9,"certificate":{"pid":5,"new":1}}"#
        let failure = try #require(Failure(try JSON(validating: Array(text.utf8)).value))
        #expect(failure == Failure(kind: .exit, message: "m", death: DeathCertificate(processID: 5, exitCode: 9)))
    }
}
