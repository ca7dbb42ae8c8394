import Testing

@testable import HTTPAPI

struct PreferencesTests {
    @Test(arguments: [
        ("wait=5", 5), ("WAIT = \"7\"", 7), ("respond-async, wait=10", 10), ("wait=1, wait=2", 1), ("wait=99999", 3600),
        ("wait=99999999999999999999999", 3600), ("foo; wait=3, wait=4;x=y", 4), ("foo=\"a,wait=9\", wait=2", 2),
    ])
    func secondsAreRead(_ header: String, _ seconds: Int) {
        #expect(Preferences([header]).wait == seconds)
    }

    @Test(arguments: ["", "wait", "wait=", "wait=-1", "wait=1.5", "wait=x", ",,;;==\"", "wait=\"", "waits=3"])
    func whatIsMalformedIsIgnored(_ header: String) {
        let preferences = Preferences([header])
        #expect(preferences.wait == nil)
        #expect(preferences.applied(isAccepted: true).isEmpty)
    }

    @Test func whatWasHonouredIsSaid() {
        let preferences = Preferences(["return=minimal", "respond-async, wait=3"])
        #expect(preferences.applied(isAccepted: true).map(\.1) == ["wait=3, respond-async, return=minimal"])
        #expect(preferences.applied(isAccepted: false).map(\.1) == ["wait=3"])
        #expect(preferences.waitSeconds(default: 9) == 3)
        #expect(Preferences(["respond-async"]).waitSeconds(default: 9) == 0)
        #expect(Preferences([]).waitSeconds(default: 9) == 9)
    }
}
