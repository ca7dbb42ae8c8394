import JSONBytes
import Testing
import WorkerKit

@testable import ImageHandlers

@Suite struct ImageRequestTests {
    private func parse(_ text: String, _ operation: ImageOperation) throws -> ImageRequest {
        try ImageRequest(parsing: JSON(validating: Array(text.utf8)).value, for: operation)
    }

    @Test func readsPayloads() throws {
        let blur = try parse(#"{"input": "a.jpg", "output": "b/", "radius": 2.5, "format": "png"}"#, .blur)
        #expect(blur.inputs == ["a.jpg"])
        #expect(blur.output == "b/")
        #expect(blur.format == .png)
        #expect(blur.change == .blur(radius: 2.5))
        #expect(try parse(#"{"input": ["a", "b"], "output": "b/"}"#, .blur).change == .blur(radius: 2))
        #expect(try parse(#"{"input": ["a", "b"], "output": "b/"}"#, .convert).inputs == ["a", "b"])
        func thumbnail(_ size: String) throws -> ImageChange {
            try parse(#"{"input": "a", "output": "b", "size": \#(size)}"#, .thumbnail).change
        }
        #expect(try thumbnail("100") == .thumbnail(width: 100, height: 100))
        #expect(try thumbnail(#"{"width": 10, "height": 20}"#) == .thumbnail(width: 10, height: 20))
        #expect(try thumbnail(#"{"width": 10}"#) == .thumbnail(width: 10, height: ImageRequest.largestSize))
    }

    @Test(arguments: [
        ("[]", ImageOperation.blur, "payload is not"), (#"{"output": "b"}"#, .blur, "/input is missing"),
        (#"{"input": "a"}"#, .blur, "/output is missing"), (#"{"input": 1, "output": "b"}"#, .blur, "/input"),
        (#"{"input": "", "output": "b"}"#, .blur, "/input"), (#"{"input": [], "output": "b/"}"#, .blur, "/input"),
        (#"{"input": ["a", 1], "output": "b/"}"#, .blur, "/input/1"),
        (#"{"input": "a\u0000", "output": "b"}"#, .blur, "/input"),
        (#"{"input": "a", "output": null}"#, .blur, "/output"),
        (#"{"input": ["a", "b"], "output": "b"}"#, .blur, "/output"),
        (#"{"input": "a", "output": "b", "format": "gif"}"#, .convert, "/format"),
        (#"{"input": "a", "output": "b", "radius": 0}"#, .blur, "/radius"),
        (#"{"input": "a", "output": "b", "radius": -1}"#, .blur, "/radius"),
        (#"{"input": "a", "output": "b", "radius": 1e9}"#, .blur, "/radius"),
        (#"{"input": "a", "output": "b", "radius": "2"}"#, .blur, "/radius"),
        (#"{"input": "a", "output": "b", "radius": 2}"#, .convert, "/radius"),
        (#"{"input": "a", "output": "b", "size": 2}"#, .blur, "/size"),
        (#"{"input": "a", "output": "b"}"#, .thumbnail, "/size"),
        (#"{"input": "a", "output": "b", "size": 0}"#, .thumbnail, "/size"),
        (#"{"input": "a", "output": "b", "size": 1.5}"#, .thumbnail, "/size"),
        (#"{"input": "a", "output": "b", "size": {}}"#, .thumbnail, "/size"),
        (#"{"input": "a", "output": "b", "size": {"width": 5, "depth": 1}}"#, .thumbnail, "/size/depth"),
        (#"{"input": "a", "output": "b", "size": {"height": -5}}"#, .thumbnail, "/size/height"),
        (#"{"input": "a", "output": "b", "tint": 5}"#, .convert, "/tint is not a field"),
        (#"{"input": "a", "output": "b", "quality": 0}"#, .convert, "/quality"),
        (#"{"input": "a", "output": "b", "quality": 101}"#, .blur, "/quality"),
        (#"{"input": "a", "output": "b", "quality": "75"}"#, .convert, "/quality"),
        (#"{"input": "a", "output": "b", "compression": 10}"#, .convert, "/compression"),
        (#"{"input": "a", "output": "b", "compression": -1}"#, .convert, "/compression"),
        (#"{"input": "a", "output": "b", "compression": "jpeg"}"#, .convert, "/compression"),
        (#"{"input": "a", "output": "b", "lossless": 1}"#, .convert, "/lossless"),
        (#"{"input": "a", "output": "b", "strip": "yes"}"#, .convert, "/strip"),
        (
            #"{"input": "a", "output": "b", "format": "png", "quality": 5}"#, .convert,
            "/quality is not an option of png"
        ),
        (
            #"{"quality": 5, "input": "a", "output": "b", "format": "tiff"}"#, .convert,
            "/quality is not an option of tiff"
        ),
        (
            #"{"input": "a", "output": "b", "format": "jpeg", "compression": 5}"#, .convert,
            "/compression is not an option"
        ),
        (
            #"{"input": "a", "output": "b", "format": "webp", "compression": 5}"#, .convert,
            "/compression is not an option"
        ),
        (
            #"{"input": "a", "output": "b", "format": "png", "compression": "lzw"}"#, .convert,
            "/compression is not a whole"
        ),
        (
            #"{"input": "a", "output": "b", "format": "tiff", "compression": 5}"#, .convert,
            "/compression is not none, lzw"
        ),
        (
            #"{"input": "a", "output": "b", "format": "jpeg", "lossless": false}"#, .convert,
            "/lossless is not an option"
        ),
        (
            #"{"input": "a", "output": "b", "format": "webp", "lossless": true, "quality": 9}"#, .convert,
            "/quality is not an option of lossless webp"
        ),
        (#"{"input": "a", "output": "b", "input": "c"}"#, .convert, "/input is there twice"),
    ])
    func refusesOtherPayloads(_ text: String, _ operation: ImageOperation, _ complaint: String) {
        let error = #expect(throws: JobError.self) { try parse(text, operation) }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        #expect(error?.type == "InvalidPayload")
    }

    @Test func readsEncodings() throws {
        func encoding(_ more: String, _ format: ImageFormat) throws -> PictureEncoding {
            try parse(#"{"input": "a", "output": "b"\#(more)}"#, .convert).encoding.encoding(for: format)
        }
        #expect(try encoding("", .jpeg) == .jpeg(quality: 75))
        #expect(try encoding("", .png) == .png(compression: 6))
        #expect(try encoding("", .webp) == .webp(quality: 75))
        #expect(try encoding("", .tiff) == .tiff(.deflate))
        #expect(try encoding(#", "quality": 1"#, .jpeg) == .jpeg(quality: 1))
        #expect(try encoding(#", "quality": 100, "lossless": false"#, .webp) == .webp(quality: 100))
        #expect(try encoding(#", "lossless": true"#, .webp) == .losslessWebP)
        #expect(try encoding(#", "compression": 0"#, .png) == .png(compression: 0))
        #expect(try encoding(#", "compression": "none""#, .tiff) == .tiff(.none))
        #expect(try encoding(#", "compression": "lzw""#, .tiff) == .tiff(.lzw))
        #expect(try parse(#"{"input": "a", "output": "b", "strip": true}"#, .blur).encoding.strips)
        #expect(try !parse(#"{"input": "a", "output": "b"}"#, .blur).encoding.strips)
    }

    @Test(arguments: [
        ("a/x.jpg", "out/", nil as ImageFormat?, "out/", "x.jpg", ImageFormat.jpeg),
        ("x.JPG", "out/", nil, "out/", "x.JPG", .jpeg), ("x.jpg", "out/", .png, "out/", "x.png", .png),
        ("x", "./", nil, "./", "x.jpg", .jpeg), ("x.y.png", "./", nil, "./", "x.y.jpg", .jpeg),
        (".jpg", "./", nil, "./", ".jpg.jpg", .jpeg),
        ("x.jpg", "a/b/y.webp", nil, "a/b", "y.webp", .webp), ("x.jpg", "y.tif", nil, ".", "y.tif", .tiff),
        ("x.jpg", "y", nil, ".", "y", .jpeg), ("x.jpg", "/y.png", .jpeg, "/", "y.png", .jpeg),
        ("x.jpg", "y.dat", .png, ".", "y.dat", .png),
    ])
    func placesOutputs(
        _ input: String, _ output: String, _ format: ImageFormat?, _ folder: String, _ name: String,
        _ written: ImageFormat
    ) throws {
        var request = try parse(#"{"input": "a", "output": "b"}"#, .convert)
        request.output = output
        request.format = format
        let place = try OutputPlace(request, input: input, inputFormat: .jpeg)
        #expect(place.folder == folder)
        #expect(place.name == name)
        #expect(place.format == written)
        #expect(place.path == (output.hasSuffix("/") ? output + name : output))
    }

    @Test(arguments: ["y.gif", "a/..", "..", "."])
    func refusesOtherOutputs(_ output: String) throws {
        var request = try parse(#"{"input": "a", "output": "b"}"#, .convert)
        request.output = output
        #expect(throws: JobError.self) { try OutputPlace(request, input: "a.jpg", inputFormat: .jpeg) }
    }
}
