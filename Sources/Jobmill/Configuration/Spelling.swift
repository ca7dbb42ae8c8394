/// Finds the word that somebody probably meant.
enum Spelling {
    /// - Returns: the word with the fewest changes, if that are at most two and less than half of its letters.
    static func nearest(to word: String, among words: [String]) -> String? {
        words.map { (word: $0, distance: distance(word, $0)) }
            .filter { $0.distance <= 2 && $0.distance * 2 < $0.word.count }
            .min { $0.distance < $1.distance }?.word
    }

    /// How many letters must be put in, left out or replaced (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (right[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}
