import JSONBytes
import Testing

@Suite struct JSONWriterTests {
    private func text(_ build: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        build(&writer)
        return String(decoding: writer.finish().bytes, as: UTF8.self)
    }

    @Test func setsCommas() {
        let built = text { writer in
            writer.beginObject()
            writer.key("a")
            writer.beginArray()
            writer.value(1)
            writer.value("x")
            writer.beginArray()
            writer.endArray()
            writer.beginObject()
            writer.endObject()
            writer.endArray()
            writer.key("b")
            writer.value(true)
            writer.key("c")
            writer.null()
            writer.endObject()
        }
        #expect(built == #"{"a":[1,"x",[],{}],"b":true,"c":null}"#)
    }

    @Test func writesCommaSeparatedValues() {
        let built = text { writer in
            writer.value(1)
            writer.raw(JSON.null)
            writer.raw(bytes: Array("2,3".utf8))
            writer.raw(bytes: Array("[4,5]".utf8)[1..<2])
            Array("6".utf8).withUnsafeBytes { writer.raw(bytes: $0) }
            writer.value(false)
        }
        #expect(built == "1,null,2,3,4,6,false")
    }

    @Test(arguments: [0, 1, -1, 9, 10, 99, 100, 12_345_678, 999_999_999_999, Int.max, Int.min])
    func writesIntegers(_ number: Int) {
        #expect(text { $0.value(number) } == String(number))
        var bytes = Array("x".utf8)
        JSONWriter.append(number, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "x\(number)")
    }

    @Test func writesOtherNumbers() {
        #expect(text { $0.value(UInt64.max) } == String(UInt64.max))
        #expect(text { $0.value(0.1) } == "0.1")
        #expect(text { $0.value(1.0) } == "1.0")
        #expect(text { $0.value(-2.5e-7) } == "-2.5e-7")
        #expect(text { $0.value(Double.nan) } == "null")
        #expect(text { $0.value(-Double.infinity) } == "null")
    }

    @Test func doublesReadBackAsTheSame() throws {
        var random = SeededGenerator(seed: 3)
        var numbers: [Double] = [
            0.0, -0.0, 1e22, 1e23, Double.leastNonzeroMagnitude, Double.greatestFiniteMagnitude,
            -Double.leastNormalMagnitude, 1 / 3,
        ]
        while numbers.count < 5000 {
            let number = Double(bitPattern: random.next())
            if number.isFinite { numbers.append(number) }
        }
        for number in numbers {
            var bytes: [UInt8] = []
            JSONWriter.append(number, to: &bytes)
            #expect(try JSON(validating: bytes).value.double()?.bitPattern == number.bitPattern)
        }
    }

    @Test func escapesWhatMustBe() {
        #expect(text { $0.value("") } == #""""#)
        #expect(text { $0.value("a/b é😀\u{7F}") } == "\"a/b é😀\u{7F}\"")
        #expect(text { $0.value("\"\\\n\r\t\u{8}\u{C}\0\u{1F}") } == #""\"\\\n\r\t\u0008\u000c\u0000\u001f""#)
        #expect(text { $0.value("0123456789abcde\"0123456789abcdef\n") } == #""0123456789abcde\"0123456789abcdef\n""#)
        #expect(text { $0.key(named: "a\"") } == #""a\"":"#)
    }

    @Test func plainTextComesBetweenQuotes() {
        let written = text { writer in
            writer.beginObject()
            writer.key("a")
            writer.plain { $0 += Array("b".utf8) }
            writer.key("c")
            writer.plain { _ in }
            writer.endObject()
        }
        #expect(written == #"{"a":"b","c":""}"#)
    }

    @Test func randomTreesComeBack() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            let tree = Tree.random(depth: 5, using: &random)
            var writer = JSONWriter()
            tree.write(to: &writer)
            let json = try JSON(validating: writer.finish().bytes)
            #expect(try Tree(json.value) == tree)
        }
    }
}
