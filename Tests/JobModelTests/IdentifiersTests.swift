import JobModel
import Testing

@Suite struct IdentifiersTests {
    private let ulid = ULID(high: 0x0190_1234_5678_9ABC, low: 42)

    @Test func batchesComeBack() {
        let id = BatchID(ulid)
        #expect(id.description == "bat_\(ulid)")
        #expect(BatchID(id.description) == id)
        #expect(BatchID(BatchID(ULID(high: 1, low: 2)).description)?.ulid == ULID(high: 1, low: 2))
    }

    @Test func deliveriesComeBack() {
        let id = DeliveryID(ulid)
        #expect(id.description == "whd_\(ulid)")
        #expect(DeliveryID(id.description) == id)
        #expect(DeliveryID("bat_\(ulid)") == nil)
    }

    @Test(arguments: [0, 1, 999_999, Int.max])
    func jobsComeBack(index: Int) {
        let id = JobID(batch: BatchID(ulid), index: index)
        #expect(id.description == "job_\(ulid)_\(index)")
        #expect(JobID(id.description) == id)
    }

    @Test(arguments: [
        "", "bat_", "bat-", "job_00000000000000000000000000", "00000000000000000000000000",
        "BAT_00000000000000000000000000",
    ])
    func whatIsNoBatchIsRefused(text: String) {
        #expect(BatchID(text) == nil)
    }

    @Test(arguments: [
        "", "job_", "job_00000000000000000000000000", "job_00000000000000000000000000_",
        "job_00000000000000000000000000_01", "job_00000000000000000000000000_-1", "job_00000000000000000000000000_+1",
        "job_00000000000000000000000000_1a", "job_00000000000000000000000000_9223372036854775808",
        "job_00000000000000000000000000__1", "bat_00000000000000000000000000_1", "job_0000000000000000000000000_1",
        "job_00000000000000000000000000_\u{0661}",
    ])
    func whatIsNoJobIsRefused(text: String) {
        #expect(JobID(text) == nil)
    }

    @Test func identifiersAreOrderedAsTheirULIDs() {
        let later = ULID(high: ulid.high, low: ulid.low + 1)
        #expect(BatchID(ulid) < BatchID(later))
        #expect(DeliveryID(ulid) < DeliveryID(later))
    }
}
