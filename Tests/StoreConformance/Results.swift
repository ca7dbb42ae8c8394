import JobModel
import JobStore

extension Behaviour {
    static let results: [Behaviour] = [
        Behaviour("results come from the row that holds the wanted job on") { fixture in
            let batch = Sample.batch(100)
            try fixture.submit(Sample.batch(50))
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(50))
            let runs = [Sample.run(0..<10), Sample.run(20..<30, .failed), Sample.run(30..<60), Sample.run(99..<100)]
            for run in runs { try fixture.record(Sample.recording(batch.id, run)) }
            func from(_ first: Int, _ bytes: Int = .max) throws -> [OutcomeRun] {
                try fixture.store.results(of: batch.id, from: first, maximumBytes: bytes)
            }
            try expectEqual(try from(0), runs)
            try expectEqual(try from(9), runs)
            try expectEqual(try from(10), Array(runs[1...]))
            try expectEqual(try from(29), Array(runs[1...]))
            try expectEqual(try from(60), Array(runs[3...]))
            try expectEqual(try from(99), Array(runs[3...]))
            try expectEqual(try from(100), [])
            try expectEqual(try from(0, 1), [runs[0]])
            try expectEqual(try from(20, runs[1].body.count + 1), Array(runs[1...2]))
        },
        Behaviour("a batch without outcomes, or an unknown one, has no results") { fixture in
            let batch = Sample.batch(3)
            let before = Sample.batch(3)
            try fixture.submit(before)
            try fixture.submit(batch)
            try fixture.record(Sample.recording(before.id, Sample.run(0..<3)))
            try expectEqual(try fixture.store.results(of: batch.id, from: 0, maximumBytes: 100), [])
            try expectEqual(try fixture.store.results(of: Sample.batchID(), from: 0, maximumBytes: 100), [])
            try expectEqual(try fixture.store.failedIndices(of: batch.id, limit: 5), [])
            try expectEqual(try fixture.store.failedIndices(of: Sample.batchID(), limit: 5), [])
        },
        Behaviour("large bodies come back byte for byte") { fixture in
            let batch = Sample.batch(2)
            try fixture.submit(batch)
            var runs = [Sample.run(0..<1), Sample.run(1..<2)]
            runs[0].body = [UInt8](repeating: UInt8(ascii: "7"), count: 3 << 20)
            runs[1].body = Array("\"\u{0}\u{1F600}\"".utf8)
            try fixture.record(Recording(batch: batch.id, runs: runs, recordedAt: Sample.time(1)))
            try fixture.reopen()
            try expect(
                try fixture.store.results(of: batch.id, from: 0, maximumBytes: .max) == runs, "the bodies differ")
        },
        Behaviour("failed indices are listed in order up to the limit") { fixture in
            let batch = Sample.batch(100)
            let other = Sample.batch(100)
            try fixture.submit(other)
            try fixture.submit(batch)
            try fixture.record(
                Sample.recording(other.id, Sample.run(90..<100, .failed)),
                Sample.recording(
                    batch.id, Sample.run(50..<53, .failed), Sample.run(5..<6, .failed), Sample.run(6..<10)),
                Sample.recording(batch.id, Sample.run(99..<100, .failed), Sample.run(30..<31, .expired)))
            try expectEqual(try fixture.store.failedIndices(of: batch.id, limit: 100), [5, 50, 51, 52, 99])
            try expectEqual(try fixture.store.failedIndices(of: batch.id, limit: 3), [5, 50, 51])
            try expectEqual(try fixture.store.failedIndices(of: other.id, limit: 2), [90, 91])
        },
        Behaviour("a job is shown with its own payload and its own result") { fixture in
            var batch = Sample.batch(4)
            let texts = [#"{"a": [1, 2]}"#, #""x,]y""#, "3", "null"]
            let input = " \(texts[0]) ,\n\(texts[1]),"
            batch.segments = [
                Segment(first: 0, count: 2, input: Array(input.dropLast().utf8)),
                Segment(first: 2, count: 2, input: Array("\(texts[2]) , \(texts[3])".utf8)),
            ]
            try fixture.submit(batch)
            var run = Sample.run(1..<3)
            run.body = Array(#"[1,{"b":","}],"two""#.utf8)
            try fixture.record(Sample.recording(batch.id, run, Sample.run(3..<4, .failed)))
            let jobs = try (0..<4).map { try unwrap(try fixture.store.job(JobID(batch: batch.id, index: $0))) }
            try expectEqual(jobs.map { String(decoding: $0.payload, as: UTF8.self) }, texts)
            try expectEqual(jobs.map(\.outcome), [nil, .succeeded, .succeeded, .failed])
            try expectEqual(
                jobs.map { $0.body.map { String(decoding: $0, as: UTF8.self) } },
                [nil, #"[1,{"b":","}]"#, #""two""#, #"{"kind":"exception","message":"3"}"#])
            try expectEqual(jobs[1].id, JobID(batch: batch.id, index: 1))
            try expectEqual(jobs[2].batch, try fixture.store.batch(batch.id))
        },
        Behaviour("there is no job outside of a batch") { fixture in
            let batch = Sample.batch(4)
            try fixture.submit(batch)
            try fixture.submit(Sample.batch(4))
            for id in [JobID(batch: batch.id, index: 4), JobID(batch: Sample.batchID(), index: 0)] {
                try expect(try fixture.store.job(id) == nil, "\(id) is there")
            }
        },
    ]
}
