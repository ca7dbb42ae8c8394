/// A moment on the wall clock: whole microseconds since 1970, UTC.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// Saturates instead of overflowing.
    package func advanced(bySeconds seconds: Double) -> Timestamp {
        let delta = seconds * 1e6
        let step = delta >= 9.2e18 ? Int64.max : delta <= -9.2e18 ? Int64.min : Int64(delta)
        let (sum, overflow) = microseconds.addingReportingOverflow(step)
        return Timestamp(microseconds: overflow ? (step > 0 ? .max : .min) : sum)
    }

    package func seconds(since earlier: Timestamp) -> Double {
        Double(microseconds - earlier.microseconds) / 1e6
    }

    /// RFC 3339 in UTC with milliseconds, such as `2026-01-31T08:15:00.125Z`.
    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the characters of its description.
    package func append(to bytes: inout [UInt8]) {
        let milliseconds = Timestamp.floorDivide(microseconds, 1000)
        let seconds = Timestamp.floorDivide(milliseconds, 1000)
        let days = Timestamp.floorDivide(seconds, 86_400)
        let secondOfDay = Int(seconds - days * 86_400)
        let (year, month, day) = Timestamp.civil(fromDays: days)
        if (0...9999).contains(year) {
            Timestamp.append(pair: year / 100, to: &bytes)
            Timestamp.append(pair: year % 100, to: &bytes)
        } else {
            bytes.append(contentsOf: String(year).utf8)
        }
        Timestamp.append("-", pair: month, to: &bytes)
        Timestamp.append("-", pair: day, to: &bytes)
        Timestamp.append("T", pair: secondOfDay / 3600, to: &bytes)
        Timestamp.append(":", pair: secondOfDay / 60 % 60, to: &bytes)
        Timestamp.append(":", pair: secondOfDay % 60, to: &bytes)
        let millisecond = Int(milliseconds - seconds * 1000)
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: millisecond / 100))
        Timestamp.append(pair: millisecond % 100, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ separator: Unicode.Scalar, pair number: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: separator))
        append(pair: number, to: &bytes)
    }

    /// A number from 0 to 99.
    private static func append(pair number: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// Days since 1970 to a date of the proleptic Gregorian calendar, counted in 400-year eras that start on 1 March.
    private static func civil(fromDays days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (Int(year), Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }
}
