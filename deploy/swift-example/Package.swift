// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "shop",
    dependencies: [
        // In a package of your own: .package(url: "https://…/jobmill", from: "0.1.0")
        .package(name: "jobmill", path: "../..")
    ],
    targets: [
        .executableTarget(name: "Shop", dependencies: [.product(name: "Jobmill", package: "jobmill")])
    ]
)
