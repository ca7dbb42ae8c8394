import Glibc
import Platform
import Testing

@testable import Jobmill

@Suite struct SignalReaderTests {
    private static let shell: Int32 = 10
    private static let others: Int32 = 99
    private static let fromShell = Signals.Arrival(SIGHUP, from: .process(shell))
    private static let fromOthers = Signals.Arrival(SIGHUP, from: .process(others))
    private static let fromKernel = Signals.Arrival(SIGHUP, from: .kernel)

    private func meaning(of signal: Signals.Arrival, closes: Bool, _ reader: inout SignalReader) -> SignalMeaning {
        reader.meaning(of: signal) { _ in closes }
    }

    private struct HangUp: Sendable, CustomTestStringConvertible {
        let signal: Signals.Arrival
        /// The terminal closes.
        let closes: Bool
        let meaning: SignalMeaning
        /// The same, started with nohup.
        let outliving: SignalMeaning
        var testDescription: String { "\(signal), closes: \(closes)" }
    }

    @Test(arguments: [
        HangUp(signal: fromKernel, closes: true, meaning: .stop, outliving: .nothing),
        HangUp(signal: fromKernel, closes: false, meaning: .stop, outliving: .nothing),
        HangUp(signal: fromShell, closes: true, meaning: .stop, outliving: .nothing),
        // Somebody has typed `kill -HUP` there.
        HangUp(signal: fromShell, closes: false, meaning: .reload, outliving: .reload),
        HangUp(signal: fromOthers, closes: true, meaning: .reload, outliving: .reload),
        HangUp(signal: fromOthers, closes: false, meaning: .reload, outliving: .reload),
        // From outside of the container.
        HangUp(signal: Signals.Arrival(SIGHUP, from: .process(0)), closes: true, meaning: .reload, outliving: .reload),
    ])
    private func `who has sent it says what a hang-up means`(_ hangUp: HangUp) {
        var reader = SignalReader(outlivesTerminal: false, shells: [Self.shell, 11])
        #expect(meaning(of: hangUp.signal, closes: hangUp.closes, &reader) == hangUp.meaning)
        var outliving = SignalReader(outlivesTerminal: true, shells: [Self.shell, 11])
        #expect(meaning(of: hangUp.signal, closes: hangUp.closes, &outliving) == hangUp.outliving)
    }

    @Test func `without a terminal every process that sends a hang-up wants a reload`() {
        var reader = SignalReader(outlivesTerminal: false, shells: [])
        #expect(meaning(of: Self.fromShell, closes: true, &reader) == .reload)
    }

    @Test(arguments: [SIGTERM, SIGINT], [SIGTERM, SIGINT])
    func `the second request to stop ends the process`(_ first: Int32, _ second: Int32) {
        var reader = SignalReader(outlivesTerminal: false, shells: [])
        #expect(meaning(of: Signals.Arrival(first, from: .process(1)), closes: false, &reader) == .stop)
        #expect(meaning(of: Signals.Arrival(second, from: .kernel), closes: false, &reader) == .exit)
    }

    @Test func `a hang-up is no request to stop, and never ends the process`() {
        var reader = SignalReader(outlivesTerminal: false, shells: [Self.shell])
        for _ in 1...2 {
            #expect(meaning(of: Self.fromShell, closes: true, &reader) == .stop)
            #expect(meaning(of: Self.fromKernel, closes: true, &reader) == .stop)
        }
        let request = Signals.Arrival(SIGTERM, from: .process(Self.others))
        #expect(meaning(of: request, closes: true, &reader) == .stop)
        #expect(meaning(of: Self.fromKernel, closes: true, &reader) == .stop)
        #expect(meaning(of: Self.fromOthers, closes: true, &reader) == .reload)
        #expect(meaning(of: request, closes: true, &reader) == .exit)
    }
}
