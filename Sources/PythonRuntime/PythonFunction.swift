/// A function of a Python module, as `MODULE:FUNCTION` names it: `tasks:process_image`, `shop.mail:Sender.send`.
package struct PythonFunction: Hashable, Sendable {
    /// What `import` takes.
    package let module: String
    /// Attributes of the module, with dots between them.
    package let function: String

    /// - Parameter text: what stands behind `python:` in a handler's definition.
    package init(parsing text: some StringProtocol) throws(PythonDefinitionError) {
        let pieces = text.split(separator: ":", omittingEmptySubsequences: false)
        guard pieces.count == 2, !pieces[0].isEmpty, !pieces[1].isEmpty else {
            throw PythonDefinitionError("write MODULE:FUNCTION, such as tasks:process_image")
        }
        let (module, function) = (String(pieces[0]), String(pieces[1]))
        if module.contains("/") || module.hasSuffix(".py") {
            throw PythonDefinitionError(
                "\"\(module)\" is a file: write the module's name as import takes it, and where it lies as the handler's folder"
            )
        }
        guard PythonFunction.isPath(module) else {
            throw PythonDefinitionError("\"\(module)\" cannot be a Python module")
        }
        guard PythonFunction.isPath(function) else {
            throw PythonDefinitionError("\"\(function)\" cannot be a Python function: write its name alone")
        }
        self.module = module
        self.function = function
    }

    /// Identifiers with dots between them. Python has the last word on what it takes as one.
    package static func isPath(_ text: some StringProtocol) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { name in
            let scalars = name.unicodeScalars
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return false }
            return scalars.allSatisfy(\.properties.isXIDContinue)
        }
    }
}

/// Why Python handlers cannot be set up, for whoever has written their definitions.
package struct PythonDefinitionError: Error, Hashable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
