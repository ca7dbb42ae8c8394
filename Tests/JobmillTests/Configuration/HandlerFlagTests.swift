import PythonRuntime
import Testing

@testable import Jobmill

@Suite struct HandlerFlagTests {
    @Test func readsEachRuntime() throws {
        #expect(
            try HandlerFlag.parse("blur=python:app.tasks:process_image").runtime
                == .python(.init(function: try PythonFunction(parsing: "app.tasks:process_image"))))
        #expect(try HandlerFlag.parse("count=lines:wc -l").runtime == .lines(["wc", "-l"]))
        let exec = try HandlerFlag.parse("a.b-c_1=exec:/bin/echo a=b c:d")
        #expect(exec.name == "a.b-c_1")
        #expect(exec.runtime == .exec(["/bin/echo", "a=b", "c:d"]))
    }

    @Test(arguments: [
        "", "blur", "=exec:/bin/true", "a b=exec:/bin/true", "x=", "x=ruby:a", "x=exec", "x=exec:", "x=lines: ",
        "x=python:tasks",
        "x=python:tasks:", "x=python::f", "x=python:a:b:c", ".x=exec:/bin/true",
    ])
    func refusesTheRest(text: String) {
        #expect(throws: Complaint.self) { try HandlerFlag.parse(text) }
    }
}
