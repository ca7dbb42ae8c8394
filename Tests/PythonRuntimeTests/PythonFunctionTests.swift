import Testing

@testable import PythonRuntime

@Suite struct PythonFunctionTests {
    @Test(arguments: [
        ("tasks:blur", "tasks", "blur"), ("shop.mail:Sender.send", "shop.mail", "Sender.send"), ("_a1:_b", "_a1", "_b"),
        ("größe:maß", "größe", "maß"),
    ])
    func names(_ text: String, _ module: String, _ function: String) throws {
        let parsed = try PythonFunction(parsing: text)
        #expect(parsed.module == module)
        #expect(parsed.function == function)
    }

    @Test(arguments: [
        ("tasks", "write MODULE:FUNCTION"), (":blur", "write MODULE:FUNCTION"),
        ("tasks:", "write MODULE:FUNCTION"), ("a:b:c", "write MODULE:FUNCTION"),
        ("tasks.py:blur", "is a file"), ("/srv/tasks:blur", "is a file"),
        ("my-tasks:blur", "cannot be a Python module"),
        ("a..b:c", "cannot be a Python module"), ("tasks:blur()", "write its name alone"),
        ("tasks:1st", "write its name alone"),
    ])
    func refuses(_ text: String, _ sentence: String) {
        let error = #expect(throws: PythonDefinitionError.self) { try PythonFunction(parsing: text) }
        #expect(error?.description.contains(sentence) == true)
    }
}
