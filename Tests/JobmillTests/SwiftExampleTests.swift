import Foundation
import Testing

/// The example that `deploy/try-swift-example` builds and runs is the one that the documentation shows.
@Suite struct SwiftExampleTests {
    private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardizedFileURL

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.top.appendingPathComponent(path), encoding: .utf8)
    }

    @Test(arguments: ["Package.swift", "Sources/Shop/main.swift", "Sources/Shop/Catalogue.swift"])
    func thePageShowsTheExample(file: String) throws {
        let page = try text("Sources/Jobmill/Jobmill.docc/BringASwiftHandler.md")
        let code = try text("deploy/swift-example/\(file)")
        #expect(page.contains("```swift\n\(code)```\n"))
    }
}
