import Platform
import Testing

@Suite struct SmallFileTests {
    @Test func `kernel files are read whole, missing ones are nil`() throws {
        let text = try #require(SmallFile.read("/proc/self/status"))
        #expect(text.hasPrefix("Name:"))
        #expect(SmallFile.read("/proc/self/status", limit: 5) == "Name:")
        #expect(SmallFile.read("/nowhere/at/all") == nil)
    }
}
