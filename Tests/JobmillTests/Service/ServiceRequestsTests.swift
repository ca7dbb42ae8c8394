import Glibc
import Testing

@testable import Jobmill

@Suite struct ServiceRequestsTests {
    @Test func `reloads that come at once are one`() {
        let requests = ServiceRequests()
        #expect(requests.reload())
        #expect(requests.reload())
        #expect(requests.next() == .reload)
        requests.stop(.signal(SIGTERM))
        #expect(requests.next() == .stop(.signal(SIGTERM)))
    }

    @Test func `who stops reloads nothing`() {
        let requests = ServiceRequests()
        #expect(requests.reload())
        requests.stop(.signal(SIGTERM))
        #expect(requests.next() == .stop(.signal(SIGTERM)))
        #expect(!requests.reload())
        #expect(requests.next() == .stop(.signal(SIGTERM)))
    }

    @Test func `an error counts more than a signal`() {
        let requests = ServiceRequests()
        requests.stop(.signal(SIGTERM))
        requests.stop(.fatal("disk"))
        requests.stop(.signal(SIGINT))
        #expect(requests.next() == .stop(.fatal("disk")))
    }
}
