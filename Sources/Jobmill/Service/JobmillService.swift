import HTTPAPI
import HTTPClient
import HTTPServer
import JobModel
import JobStore
import Logging
import Platform
import SQLiteStore
import Scheduling
import Webhooks
import WorkerPool

extension Pool: ChunkRunner, PoolControl {}
extension Dispatcher: StoreObserver, LiveState {}

/// The whole service: knows in which order its components come up and go down, and nothing else.
///
/// Up: the listening socket, store, dispatcher, pool, webhooks, HTTP. What takes work in comes last, so that everything behind it is ready.
/// Down: in the opposite direction, so that what was accepted is still recorded.
final class JobmillService {
    /// What is left of a container runtime's usual 10 s after the default grace period: for workers to die and for a last commit.
    private static let cleanup = TimeSpan(seconds: 1.5)
    /// How long the fork server may take before clients are let in all the same, to be told by `/readyz`.
    private static let patience = TimeSpan(seconds: 10)

    /// Read once, but for what a reload can change: handlers, workers, and queues, of which only those rules that are stored stay here.
    var configuration: ServiceConfiguration
    let logger: Logger
    /// In the order of their start.
    private var started: [any Service] = []
    private var store: SQLiteStore?
    private var server: HTTPServer?
    private var dispatcher: Dispatcher?
    private var api: API?
    private var tasks: TaskThreads?
    private var webhooks: WebhookDeliverer?
    /// Nil as long as the service does not run.
    private(set) var reloadable: Reloadable?

    /// Who has to hear of other handlers.
    struct Reloadable: Sendable {
        let handlers: HandlerRegistry
        let api: API
        let dispatcher: Dispatcher
        let pool: Pool
        let store: SQLiteStore
    }

    init(configuration: ServiceConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// - Returns: the port that the service listens on.
    func start(_ requests: ServiceRequests) throws -> Int {
        do {
            return try startComponents(requests)
        } catch {
            stop()
            throw error
        }
    }

    private func startComponents(_ requests: ServiceRequests) throws -> Int {
        let onFatal: @Sendable (StoreError) -> Void = { requests.stop(.fatal($0.description)) }
        let clock: @Sendable () -> Timestamp = { SchedulingClock.system.now().wall }
        // First of all, so that an address that cannot be had leaves the data folder untouched.
        var http = HTTPServerConfiguration(host: configuration.listen.host, port: configuration.listen.port)
        http.listener = try HTTPListener(host: http.host, port: http.port)
        let store = try SQLiteStore.open(StoreConfiguration(folder: configuration.dataFolder, onBroken: onFatal))
        self.store = store
        configuration.queues = try QueueRules.apply(configuration.queues, to: store, logger: logger)

        let dispatcher = Dispatcher(
            store: store, handlers: configuration.handlers.map(\.profile), logger: logger, onFatal: onFatal)
        let hasWorkers = Monitor(false)
        let handlers = HandlerRegistry(configuration.handlers)
        let pool = Pool(
            configuration: PoolConfiguration(
                slots: configuration.followsCPUs ? nil : configuration.workers,
                runtimes: try RuntimePlan.runtimes(
                    for: configuration.handlers, preparing: HandlerCatalog.compiledIn.preparing),
                gracePeriod: TimeSpan(seconds: configuration.gracePeriod)),
            logger: logger,
            onEvent: { [logger] event in
                if case .slots(let slots) = event, slots > 0 {
                    hasWorkers.withLock { $0 = true }
                    hasWorkers.notifyAll()
                }
                if case .loaded(let names, let problem, let generation) = event {
                    Self.note(names, problem: problem, generation: generation, at: clock(), in: handlers, logger)
                }
                dispatcher.handle(event)
            },
            onFatal: { requests.stop(.fatal($0)) })
        dispatcher.use(pool)
        let webhooks = WebhookDeliverer(
            queue: store, settings: try webhookSettings(), logger: logger, clock: clock, onFatal: onFatal)
        let tasks = TaskThreads(name: "api", count: 2)
        let api = API(
            apiConfiguration(store: store, tasks: tasks, live: dispatcher, pool: pool, handlers: handlers, clock: clock)
        )
        dispatcher.report(to: api.liveObserver)
        let server = try HTTPServer(
            configuration: http, handler: api, logger: logger, onFatal: { requests.stop(.fatal($0)) })
        for observer in [dispatcher, webhooks, api] as [any StoreObserver] { store.addObserver(observer) }
        self.dispatcher = dispatcher
        self.webhooks = webhooks
        self.tasks = tasks
        self.api = api
        self.server = server
        for component in [dispatcher, pool, webhooks, tasks, api, server] as [any Service] {
            if component === server { Self.await(hasWorkers) }
            try component.start()
            started.append(component)
        }
        reloadable = Reloadable(handlers: handlers, api: api, dispatcher: dispatcher, pool: pool, store: store)
        return server.port
    }

    private static func await(_ hasWorkers: Monitor<Bool>) {
        let deadline = MonotonicTime.now() + patience
        hasWorkers.wait { $0 || MonotonicTime.now() >= deadline ? .done(()) : .sleep(until: deadline) }
    }

    /// Lets running jobs and due webhooks finish within the grace period; the rest goes on after the next start.
    func drain() {
        logger.notice("stopping: running jobs have \(configuration.gracePeriod) s to finish")
        let deadline = MonotonicTime.now() + TimeSpan(seconds: configuration.gracePeriod)
        // Who watches over the service can still ask how it is.
        api?.drain()
        if dispatcher?.drain(grace: TimeSpan(seconds: configuration.gracePeriod), cleanup: Self.cleanup) == false {
            logger.notice("jobs that did not finish in time go on after the next start, at no cost")
        }
        if webhooks?.drain(until: deadline) == false {
            logger.notice("webhooks that were not delivered in time are sent after the next start")
        }
        server?.quiesce()
        // Who waits for a batch that goes on later is told where to find it, as long as there is a server to say so.
        api?.stop()
        tasks?.stop()
    }

    /// Stops what runs, the last started first. A second call does nothing.
    func stop() {
        while let component = started.popLast() { component.stop() }
        do {
            try store?.close()
        } catch {
            logger.error("the store did not close cleanly: \(error)")
        }
        store = nil
    }

    private func webhookSettings() throws -> WebhookSettings {
        WebhookSettings(
            secret: try WebhookSecret.load(orCreateIn: configuration.dataFolder),
            addressPolicy: configuration.webhookAddresses, userAgent: "Jobmill/\(Jobmill.version)")
    }

    private func apiConfiguration(
        store: SQLiteStore, tasks: TaskThreads, live: any LiveState, pool: Pool,
        handlers: HandlerRegistry, clock: @escaping @Sendable () -> Timestamp
    ) -> APIConfiguration {
        let addresses = configuration.webhookAddresses
        var limits = APILimits()
        limits.maximumBodyBytes = configuration.maximumBodyBytes
        var api = APIConfiguration(
            store: store, tasks: tasks, live: live, pool: pool,
            handlers: {
                let noWorkers = pool.slots > 0 ? nil : Unhealthy(reason: "no worker can be had", retryAfter: 1)
                return handlers.entries.map { entry in
                    let handler = entry.settings
                    var description = HandlerDescription(
                        handler.profile, runtime: handler.runtime.name,
                        unhealthy: live.unhealthy(handler.name) ?? noWorkers,
                        maximumAttempts: handler.maximumAttempts, backoff: handler.backoff,
                        queue: handler.queue)
                    description.loadedAt = entry.loadedAt
                    description.reloadProblem = entry.reloadProblem
                    return description
                }
            },
            limits: limits, token: configuration.token,
            readiness: {
                let workers = pool.slots > 0 ? [] : ["no worker can be had: the fork server is not ready"]
                return Readiness(obstacles: workers + (store.shortage().map { ["\($0)"] } ?? []))
            },
            callbackURLProblem: { CallbackURL.check($0, policy: addresses) },
            secretProblem: { WebhookSecret.check($0) },
            openapi: PackageResources.openapi_yaml, defaultTimeout: configuration.defaultTimeout, clock: clock,
            version: Jobmill.version, logger: logger)
        api.keepsWebPagesOut = configuration.token == nil && configuration.listen.isLoopback
        return api
    }
}

extension ServiceConfiguration {
    fileprivate var webhookAddresses: AddressPolicy { allowsPrivateWebhooks ? .any : .globalUnicastOnly }
}

extension HandlerSettings.Runtime {
    /// As clients see it.
    fileprivate var name: String {
        switch self {
        case .compiledIn: "swift"
        case .python: "python"
        case .lines, .exec: "command"
        case .unreadable: "unknown"
        }
    }
}
