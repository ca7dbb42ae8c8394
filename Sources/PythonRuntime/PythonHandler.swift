package import JobModel

/// A handler that is a Python function.
package struct PythonHandler: Hashable, Sendable {
    /// Its name, and the rules for its workers.
    package var profile: HandlerProfile
    package var function: PythonFunction
    /// A program that is Python 3.9 or newer; of a virtual environment, `.venv/bin/python`. Looked for in PATH if it has no slash.
    package var interpreter: String
    /// Where the module is looked for first and where its functions run; nil: the server's folder.
    package var folder: String?
    /// A function of the module that takes nothing and runs once in each worker, before its first job.
    package var initializer: String?
    /// Whether a payload is an array of arguments or an object of keywords, instead of the one argument.
    package var spreadsPayload: Bool
    /// Beside the server's environment.
    package var environment: [String: String]

    package init(
        profile: HandlerProfile, function: PythonFunction, interpreter: String = "python3", folder: String? = nil,
        initializer: String? = nil, spreadsPayload: Bool = false, environment: [String: String] = [:]
    ) {
        self.profile = profile
        self.function = function
        self.interpreter = interpreter
        self.folder = folder
        self.initializer = initializer
        self.spreadsPayload = spreadsPayload
        self.environment = environment
    }
}
