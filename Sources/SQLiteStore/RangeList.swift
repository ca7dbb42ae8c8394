/// Arithmetic with ascending, disjoint ranges.
enum RangeList {
    /// What is left of `whole` without `holes`, which are ascending; they may touch, overlap or reach outside.
    static func subtracting(_ holes: some Sequence<Range<Int>>, from whole: Range<Int>) -> [Range<Int>] {
        var rest: [Range<Int>] = []
        var position = whole.lowerBound
        for hole in holes where hole.upperBound > position {
            guard hole.lowerBound < whole.upperBound else { break }
            if hole.lowerBound > position { rest.append(position..<hole.lowerBound) }
            position = hole.upperBound
        }
        if position < whole.upperBound { rest.append(position..<whole.upperBound) }
        return rest
    }
}
