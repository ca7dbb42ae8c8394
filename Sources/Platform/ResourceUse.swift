import CSystem

/// What this process, or a child of it, has used.
package enum ResourceUse {
    /// User and system time of this process, and of those of its children that it has waited for, in nanoseconds; and its largest
    /// resident size since `forgetPeak`.
    package static var now: (processorTime: Int64, peakResidentBytes: Int64) {
        var peak: Int64 = 0
        let time = csystem_resources(&peak)
        return (time, peak)
    }

    /// User and system time of a child, without its own children, in nanoseconds; 0 if it is gone.
    package static func processorTime(of child: Int32) -> Int64 { csystem_processor_time_of(child) }

    /// The largest resident size is measured from here on, where the system allows it.
    /// - Parameter child: nil: that of this process.
    package static func forgetPeak(of child: Int32? = nil) { csystem_forget_peak(child ?? 0) }

    /// Bytes in a pipe that nobody has read yet; 0 if it is none.
    package static func unreadBytes(in pipe: Int32) -> Int { Int(max(0, csystem_unread_bytes(pipe))) }
}
