import Foundation
import Platform

extension ServiceConfiguration {
    /// - Parameters:
    ///   - settings: of all sources together.
    ///   - catalog: what is compiled into the program.
    ///   - token: what clients must present.
    ///   - environment: of the service; only `PATH` is used.
    ///   - report: gets everything that is wrong with the settings as a whole.
    /// - Throws: what the report holds.
    init(
        _ settings: Settings, catalog: HandlerCatalog, token: String?, environment: [String: String],
        report: ConfigurationReport
    ) throws(ConfigurationError) {
        let address = settings.listen ?? "127.0.0.1:8080"
        let addressPlace = settings.places["listen"] ?? Place(source: "--listen \(address)")
        let listen = ListenAddress(address)
        if let listen {
            let isTokenUnknown = report.concerns(["token_file", "insecure_no_token"])
            if !listen.isLoopback, token == nil, settings.insecureNoToken != true, !isTokenUnknown {
                report.add(
                    addressPlace,
                    "lets other machines in: set JOBMILL_TOKEN or --token-file, or say --insecure-no-token if "
                        + "everybody who can connect may submit work")
            }
        } else {
            report.add(addressPlace, "write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
        }
        let roots = (settings.files ?? []).enumerated().compactMap { index, folder in
            FileRoot.path(of: folder) { complaint in
                let place = settings.places.nearest(["files", String(index)])
                report.add(place ?? Place(source: "--files"), complaint)
            }
        }
        let handlers = HandlerList(settings, report: report)
            .merge(own: catalog.own, demo: settings.demo == true ? catalog.demo : [])
        HandlerPrograms(settings, environment: environment, report: report).check(handlers)
        guard let listen, report.problems.isEmpty else { throw report.error }
        self.init(
            listen: listen, dataFolder: settings.data ?? "jobmill-data", handlers: handlers,
            workers: settings.workers ?? CPUAllowance.current(), fileRoots: roots, token: token,
            allowsPrivateWebhooks: settings.allowsPrivateWebhooks ?? false, gracePeriod: settings.grace ?? 8,
            defaultTimeout: settings.defaultTimeout == 0 ? nil : settings.defaultTimeout ?? 3600,
            maximumBodyBytes: settings.maximumBodyBytes ?? 64 << 20)
        followsCPUs = settings.workers == nil
        queues = settings.queues
    }
}

enum FileRoot {
    /// The full path of a folder below which handlers may use files; nil after a complaint.
    static func path(of folder: String, complain: (String) -> Void) -> String? {
        guard isFolder(folder) else {
            complain("there is no folder \(folder); make it first")
            return nil
        }
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        if path.contains(":") {
            complain("\(path) cannot be used, as its path holds a colon")
            return nil
        }
        return path
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
