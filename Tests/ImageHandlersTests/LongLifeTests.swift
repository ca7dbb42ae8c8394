#if Images
    import CVips
    import Glibc
    import Testing

    @testable import ImageHandlers

    /// A worker lives for many jobs.
    @Suite struct LongLifeTests {
        @Test func aWorkerHasOneThreadForLibvipsAndNoCache() throws {
            let studio = try Studio()
            try studio.run(.blur, #"{"input": "squares.tif", "output": "o.png"}"#)
            #expect(vips_concurrency_get() == 1)
            #expect(vips_cache_get_size() == 0)
        }

        /// A leak of one picture in each job would be 180 MB.
        @Test func memoryStaysFlat() throws {
            let studio = try Studio()
            try studio.folder.write(TIFF.squares(width: 512, height: 512, orientation: 6), to: "large.tif")
            func work(_ rounds: Int) throws {
                for round in 0..<rounds {
                    let operation = ImageOperation.allCases[round % 3]
                    let ending = ["jpg", "png", "webp", "tif"][round % 4]
                    try studio.run(
                        operation, #"{"input": "large.tif", "output": "o.\#(ending)"\#(Studio.more(operation))}"#)
                }
            }
            try work(24)
            let before = try residentBytes()
            try work(240)
            #expect(try residentBytes() - before < 90 << 20)
        }

        private func residentBytes() throws -> Int {
            let file = try #require(fopen("/proc/self/statm", "r"))
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 200)
            _ = try #require(fgets(&line, 200, file))
            let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
                separator: " ")
            return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
        }
    }
#endif
