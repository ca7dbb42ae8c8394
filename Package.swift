// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// A room of the house: a Swift target with the project's strict settings. Arrows only point down.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "jobmill",
    products: [
        .library(name: "Jobmill", targets: ["Jobmill", "WorkerKit"]),
        .executable(name: "jobmill", targets: ["JobmillCommand"]),
    ],
    traits: [
        .trait(name: "Images", description: "Image handlers (blur, thumbnail, convert) through libvips"),
        .default(enabledTraits: ["Images"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C edges: each is imported by exactly one Swift target.
        .target(name: "CSystem"),
        .target(name: "CJSONScan"),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CVips", providers: [.apt(["libvips-dev"])]),

        // Values and rules.
        room("JobModel"),
        room("JSONBytes", ["CJSONScan"]),
        room("Platform", ["CSystem"]),

        // The store.
        room("JobStore", ["JobModel", "JSONBytes"]),
        room("SQLiteStore", ["CSQLite", "JobStore", "JobModel", "JSONBytes", "Platform", grdb, sqlite]),

        // The pool.
        room("WorkerKit", ["JobModel", "JSONBytes", "Platform", logging]),
        room("WorkerPool", ["WorkerKit", "JobModel", "JSONBytes", "Platform", logging]),
        .target(
            name: "PythonRuntime", dependencies: ["JobModel", "JSONBytes"],
            // The program that Python runs.
            resources: [.embedInCode("Resources/jobmill_runner.py")], swiftSettings: strict),
        room("CommandHandlers", ["WorkerKit", "JobModel", "JSONBytes", "Platform"]),
        room(
            "ImageHandlers",
            ["WorkerKit", "JSONBytes", "Platform", .target(name: "CVips", condition: .when(traits: ["Images"]))]),

        // The stages.
        room("Scheduling", ["JobStore", "JobModel", "JSONBytes", "Platform", logging]),
        room("HTTPClient", ["CCurl", "Platform"]),
        room("Webhooks", ["JobStore", "JobModel", "JSONBytes", "HTTPClient", "Platform", crypto, logging]),
        room("HTTPServer", ["CMicroHTTPD", "Platform", logging]),
        room("HTTPAPI", ["HTTPServer", "JobStore", "JobModel", "JSONBytes", "Platform", logging]),

        // The service and the command.
        .target(
            name: "Jobmill",
            dependencies: [
                "JobModel", "JSONBytes", "Platform", "JobStore", "SQLiteStore", "WorkerKit", "WorkerPool", "Scheduling",
                "Webhooks", "HTTPServer", "HTTPAPI", "HTTPClient", "PythonRuntime", "CommandHandlers", logging,
                arguments, yams,
            ],
            // A link to the file at the top, so that the service can show it.
            resources: [.embedInCode("Resources/openapi.yaml")],
            swiftSettings: strict),
        .executableTarget(
            name: "JobmillCommand",
            dependencies: [
                "Jobmill", "WorkerKit", .target(name: "ImageHandlers", condition: .when(traits: ["Images"])),
            ],
            swiftSettings: strict),

        // Tests mirror the source tree.
        tests("JobModelTests", ["JobModel"]),
        tests("JSONBytesTests", ["JSONBytes"]),
        tests("PlatformTests", ["Platform"]),
        tests("JobStoreTests", ["JobStore", "JobModel", "JSONBytes"]),
        // What every store must do, as a table of behaviours; each store's tests go through it.
        .target(
            name: "StoreConformance", dependencies: ["JobStore", "JobModel", "JSONBytes", "Platform"],
            path: "Tests/StoreConformance", swiftSettings: strict),
        tests(
            "SQLiteStoreTests",
            ["SQLiteStore", "StoreConformance", "JobStore", "JobModel", "JSONBytes", "Platform", grdb]),
        .executableTarget(
            name: "WorkerKitTestHost", dependencies: ["WorkerKit", "Platform", logging],
            path: "Tests/WorkerKitTestHost", swiftSettings: strict),
        tests(
            "WorkerKitTests", ["WorkerKit", "WorkerKitTestHost", "JobModel", "JSONBytes", "Platform", logging]),
        .executableTarget(
            name: "WorkerPoolTestHost", dependencies: ["WorkerPool", "WorkerKit", "JobModel", "Platform", logging],
            path: "Tests/WorkerPoolTestHost",
            swiftSettings: strict),
        tests(
            "WorkerPoolTests",
            ["WorkerPool", "WorkerPoolTestHost", "WorkerKit", "JobModel", "JSONBytes", "Platform", logging]),
        .executableTarget(
            name: "CommandHandlersTestHost",
            dependencies: ["CommandHandlers", "WorkerKit", "JobModel", "JSONBytes", "Platform"],
            path: "Tests/CommandHandlersTestHost", swiftSettings: strict),
        tests(
            "CommandHandlersTests",
            [
                "CommandHandlers", "CommandHandlersTestHost", "WorkerPool", "WorkerKit", "JobModel", "JSONBytes",
                "Platform", logging,
            ]),
        tests(
            "ImageHandlersTests",
            [
                "ImageHandlers", "WorkerKit", "JSONBytes", "Platform",
                .target(name: "CVips", condition: .when(traits: ["Images"])),
            ]),
        tests(
            "PythonRuntimeTests",
            ["PythonRuntime", "WorkerPool", "WorkerKit", "JobModel", "JSONBytes", "Platform", logging]),
        tests("SchedulingTests", ["Scheduling", "JobStore", "JobModel", "JSONBytes", "Platform", logging]),
        // A listener of its own for tests of what speaks HTTP as a client.
        .target(name: "LocalHTTP", dependencies: ["Platform"], path: "Tests/LocalHTTP", swiftSettings: strict),
        tests("HTTPClientTests", ["HTTPClient", "LocalHTTP", "Platform"]),
        tests(
            "WebhooksTests",
            ["Webhooks", "HTTPClient", "LocalHTTP", "JobStore", "JobModel", "JSONBytes", "Platform", crypto, logging]),
        tests("HTTPServerTests", ["HTTPServer", "Platform"]),
        tests(
            "HTTPAPITests",
            ["HTTPAPI", "HTTPServer", "JobStore", "JobModel", "JSONBytes", "Platform", logging, yams]),
        tests(
            "JobmillTests",
            [
                "Jobmill", "HTTPClient", "LocalHTTP", "PythonRuntime", "JobModel", "JobStore", "JSONBytes", "Platform",
                arguments, logging,
            ]),
        // Drives the real binary over real HTTP.
        .testTarget(
            name: "EndToEndTests", dependencies: ["JobmillCommand", "HTTPClient", "Platform"],
            exclude: ["Support/receiver.py"], swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
