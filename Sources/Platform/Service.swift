/// The contract of every long-running component: it is started once and may be stopped any number of times, from any thread
/// but its own.
package protocol Service: AnyObject, Sendable {
    /// For logs, such as `pool` or `webhooks`.
    var name: String { get }
    /// Brings the component up, or throws and leaves nothing behind.
    func start() throws
    /// Returns when the component's threads have ended and its resources are given back.
    func stop()
}
