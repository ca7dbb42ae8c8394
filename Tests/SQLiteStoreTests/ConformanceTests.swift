import StoreConformance
import Testing

@Suite struct ConformanceTests {
    @Test(arguments: Behaviour.all)
    func conforms(behaviour: Behaviour) throws {
        try behaviour.verify(with: try SQLiteFixture())
    }
}
