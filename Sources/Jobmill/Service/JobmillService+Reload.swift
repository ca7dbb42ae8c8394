import HTTPAPI
import JobModel
import Logging
import Scheduling
import WorkerPool

extension JobmillService {
    /// Reads the settings again and puts the handlers in force that they name, without a gap: the processes of each are
    /// prepared beside those that run it now. Returns before they are ready. If something is wrong with the settings, it is
    /// logged and nothing changes.
    func reload(_ read: () throws(ConfigurationError) -> ServiceConfiguration) {
        guard let parts = reloadable else { return }
        do throws(ConfigurationError) {
            let new = try read()
            let runtimes = try RuntimePlan.runtimes(for: new.handlers, preparing: HandlerCatalog.compiledIn.preparing)
            adopt(new, parts)
            let changes = parts.handlers.replace(new.handlers)
            parts.api.readHandlers()
            parts.dispatcher.setHandlers(new.handlers.map(\.profile)) {
                parts.pool.reload(runtimes, generation: changes.generation)
            }
            logger.notice(
                "reloading handlers",
                metadata: [
                    "added": "\(changes.added)", "changed": "\(changes.changed)", "removed": "\(changes.removed)",
                ])
        } catch {
            for problem in error.problems { logger.error("\(problem)") }
            logger.error("the settings are not sound: all goes on as before")
        }
    }

    /// Applies what else can be changed at once, and names what cannot.
    private func adopt(_ new: ServiceConfiguration, _ parts: Reloadable) {
        if !new.followsCPUs, configuration.followsCPUs || new.workers != configuration.workers {
            logger.notice("another number of workers", metadata: ["workers": "\(new.workers)"])
            parts.pool.resize(to: new.workers)
            configuration.workers = new.workers
            configuration.followsCPUs = false
        }
        do {
            configuration.queues = try QueueRules.apply(
                new.queues, over: configuration.queues, to: parts.store, logger: logger)
        } catch {
            logger.error("the settings of queues could not be stored", metadata: ["error": "\(error)"])
        }
        configuration.handlers = new.handlers
        let settings = configuration.settingsThatNeedARestart(for: new)
        if !settings.isEmpty {
            logger.warning("settings have changed that need a restart", metadata: ["settings": "\(settings)"])
        }
    }

    /// Keeps and tells what the pool says of the loading of handlers.
    static func note(
        _ handlers: [String], problem: String?, generation: Int, at time: Timestamp, in registry: HandlerRegistry,
        _ logger: Logger
    ) {
        let awaited = registry.loaded(handlers, problem: problem, generation: generation, at: time)
        guard !awaited.isEmpty else { return }
        if let problem {
            logger.error(
                "handlers cannot be loaded anew and go on as they were",
                metadata: ["handlers": "\(awaited)", "reason": "\(problem)"])
        } else {
            logger.notice("handlers reloaded", metadata: ["handlers": "\(awaited)"])
        }
    }
}
