import JobModel
import JobStore

extension Behaviour {
    static let submitting: [Behaviour] = [
        Behaviour("a submitted batch is read back as it was") { fixture in
            let batch = Sample.batch(5, handler: "häñdler", options: Sample.unusualOptions)
            let answer = try fixture.submit(batch)
            let expected = BatchRecord(
                id: batch.id, handler: "häñdler", options: Sample.unusualOptions, total: 5, createdAt: Sample.start)
            try expectEqual(answer, expected)
            try expectEqual(try fixture.store.batch(batch.id), expected)
            try fixture.reopen()
            try expectEqual(try fixture.store.batch(batch.id), expected)
        },
        Behaviour("every chunk size is read back") { fixture in
            for size in [ChunkSize.automatic, .python, .exactly(1), .exactly(1_000_000)] {
                let batch = Sample.batch(1, options: BatchOptions(chunkSize: size))
                try fixture.submit(batch)
                try expectEqual(try fixture.store.batch(batch.id)?.options.chunkSize, size)
            }
        },
        Behaviour("a callback may ask for no event, and metadata may be a scalar") { fixture in
            let options = BatchOptions(callback: Callback(url: "http://h/", events: []), metadata: Array("0".utf8))
            let batch = Sample.batch(1, options: options)
            try fixture.submit(batch)
            try expectEqual(try fixture.store.batch(batch.id)?.options, options)
        },
        Behaviour("a submitted batch is told to observers before its completion") { fixture in
            let batch = Sample.batch(3)
            let record = try fixture.submit(batch)
            try expectEqual(fixture.log.submitted, [record])
        },
        Behaviour("the payloads of a small batch are told along, of a large one perhaps the first") { fixture in
            let small = Sample.batch(30, segment: 10)
            let large = Sample.batch(20_000)
            try fixture.submit(small)
            try fixture.submit(large)
            let inputs = fixture.log.all.compactMap { if case .submitted(_, let inputs) = $0 { inputs } else { nil } }
            try expectEqual(inputs.first, small.segments)
            try expectEqual(inputs.last, Array(large.segments.prefix(inputs.last?.count ?? 0)))
        },
        Behaviour("an unknown batch is not there") { fixture in
            try expectEqual(try fixture.store.batch(Sample.batchID()), nil)
            try fixture.submit(Sample.batch(1))
            try expectEqual(try fixture.store.batch(Sample.batchID()), nil)
        },
        Behaviour("a second batch with the same identifier is refused and changes nothing") { fixture in
            let first = Sample.batch(3)
            var second = Sample.batch(7, handler: "other")
            second.id = first.id
            let record = try fixture.submit(first)
            try expectConflict { try fixture.submit(second) }
            try expectEqual(try fixture.store.batch(first.id), record)
            let whole = try fixture.store.segments(of: first.id, covering: 0..<7, maximumBytes: 1000)
            try expectEqual(whole, first.segments)
            try expectEqual(fixture.log.submitted, [record])
        },
        Behaviour("a refused submission does not touch those that share its commit") { fixture in
            let first = Sample.batch(1)
            var batches = (0..<40).map { _ in Sample.batch(2) }
            try fixture.submit(first)
            batches[20].id = first.id
            let answers = batches.map { batch in
                let answer = Awaited<BatchRecord>()
                fixture.store.submit(batch, completion: answer.completion)
                return answer
            }
            for (index, answer) in answers.enumerated() {
                if index == 20 {
                    try expectConflict { _ = try answer.get() }
                } else {
                    try expectEqual(try answer.get().total, 2)
                    try expectEqual(try fixture.store.batch(batches[index].id)?.total, 2)
                }
            }
            try expectEqual(fixture.log.submitted.count, 40)
        },
        Behaviour("a batch without jobs or with a gap is refused") { fixture in
            var empty = Sample.batch(1)
            empty.segments = []
            try expectConflict { try fixture.submit(empty) }
            var gap = Sample.batch(30, segment: 10)
            gap.segments.remove(at: 1)
            try expectConflict { try fixture.submit(gap) }
            try expectEqual(try fixture.store.batch(gap.id), nil)
            try expectEqual(try fixture.store.unfinishedLanes(), [])
        },
        Behaviour("payloads come back byte for byte, fresh and after a restart") { fixture in
            let batch = Sample.batch(50_000, segment: 1000)
            let small = Sample.batch(25, segment: 10)
            try fixture.submit(batch)
            try fixture.submit(small)
            for _ in 0..<2 {
                try expectEqual(
                    try fixture.store.segments(of: batch.id, covering: 0..<50_000, maximumBytes: .max), batch.segments)
                try expectEqual(
                    try fixture.store.segments(of: batch.id, covering: 1999..<2001, maximumBytes: .max),
                    Array(batch.segments[1...2]))
                try expectEqual(
                    try fixture.store.segments(of: small.id, covering: 9..<10, maximumBytes: .max),
                    Array(small.segments[0...0]))
                try expectEqual(
                    try fixture.store.segments(of: small.id, covering: 10..<21, maximumBytes: .max),
                    Array(small.segments[1...2]))
                try fixture.reopen()
            }
        },
        Behaviour("segments stop at the limit of bytes, but never before the first") { fixture in
            let batch = Sample.batch(10_000, segment: 1000)
            try fixture.submit(batch)
            let one = try fixture.store.segments(of: batch.id, covering: 2500..<9000, maximumBytes: 1)
            try expectEqual(one, Array(batch.segments[2...2]))
            let some = try fixture.store.segments(of: batch.id, covering: 0..<10_000, maximumBytes: 10_000)
            try expectEqual(some, Array(batch.segments[..<some.count]))
            try expect((2...4).contains(some.count), "\(some.count) segments for 10,000 bytes")
        },
        Behaviour("there are no segments beyond a batch or of an unknown one") { fixture in
            let batch = Sample.batch(10)
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(10))
            try expectEqual(try fixture.store.segments(of: batch.id, covering: 10..<20, maximumBytes: 100), [])
            try expectEqual(try fixture.store.segments(of: Sample.batchID(), covering: 0..<1, maximumBytes: 100), [])
            try fixture.reopen()
            try expectEqual(try fixture.store.segments(of: batch.id, covering: 10..<20, maximumBytes: 100), [])
            try expectEqual(
                try fixture.store.segments(of: batch.id, covering: 5..<20, maximumBytes: 100), batch.segments)
        },
    ]
}
