import ArgumentParser
import Testing

@testable import Jobmill

@Suite struct WorkOptionsTests {
    private func body(_ arguments: String...) throws -> String {
        let command = try SubmitCommand.parse(arguments)
        return String(decoding: try command.body(command.work.input()), as: UTF8.self)
    }

    @Test func onlyWhatWasSaidIsSent() throws {
        #expect(try body("square", "1", "2") == #"{"handler":"square","jobs":[1,2]}"#)
    }

    @Test func everyOptionArrives() throws {
        let text = try body(
            "square", "--queue", "mail", "--priority", "-5", "--chunk-size", "10", "--max-attempts=2", "--timeout",
            "1.5", "--callback",
            "http://h/", "--callback-secret", "whsec_x", "--metadata", #"{"a": 1}"#, "--wait", "--server", "http://s/",
            "true")
        #expect(
            text == #"{"handler":"square","queue":"mail","priority":-5,"chunk_size":10,"max_attempts":2,"timeout":1.5,"#
                + #""callback":{"url":"http://h/","secret":"whsec_x"},"metadata":{"a": 1},"jobs":[true]}"#)
    }

    @Test func wordsStayWords() throws {
        #expect(try body("f", "1", "--chunk-size", "python").contains(#""chunk_size":"python""#))
    }

    @Test func negativeNumbersAreJobs() throws {
        #expect(try body("square", "-3", "4", "-1.5").hasSuffix(#""jobs":[-3,4,-1.5]}"#))
        #expect(try body("square", "--", "-3").hasSuffix(#""jobs":[-3]}"#))
    }

    @Test func aMapTakesItsOptionsAsAQuery() throws {
        #expect(try MapCommand.parse(["square", "1"]).work.query == "")
        #expect(
            try MapCommand.parse([
                "square", "1", "--queue", "a b", "--priority", "-5", "--chunk-size", "a&b", "--max-attempts", "2",
                "--timeout", "3",
            ])
            .work.query == "?queue=a%20b&priority=-5&chunk_size=a%26b&max_attempts=2&timeout=3.0")
    }

    @Test func mistakesAreFoundBeforeAnythingIsSent() throws {
        #expect(throws: ClientFailure.self) { try body("square", "--wiat", "1") }
        #expect(throws: ClientFailure.self) { try body("square", "1", "--metadata", "{") }
        #expect(throws: (any Error).self) { try body("square", "1", "--callback-secret", "whsec_x") }
        #expect(throws: (any Error).self) { try body() }
    }
}
