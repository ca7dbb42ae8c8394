import Testing

@testable import Jobmill

@Suite struct HandlerNamesTests {
    @Test func whatIsCompiledInHasNamesThatRequestsCanSay() {
        #expect(Jobmill.complaint(about: ["a", "image.blur"]) == nil)
        #expect(Jobmill.complaint(about: ["a", "b", "a"]) == "two handlers have the name \"a\"")
        for name in ["", ".", "..", "a/b"] {
            #expect(
                Jobmill.complaint(about: ["a", name]) == "\"\(name)\" cannot be a name: \(HandlerSettings.nameRule)")
        }
    }
}
