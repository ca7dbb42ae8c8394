import Testing

@testable import CommandHandlers

struct CommandTextTests {
    @Test(arguments: [
        ("perl work.pl", ["perl", "work.pl"]),
        ("  spaced \t out\n", ["spaced", "out"]),
        ("a 'b c' d", ["a", "b c", "d"]),
        (#"a "b c" d"#, ["a", "b c", "d"]),
        (#"a b\ c"#, ["a", "b c"]),
        (#"'it'"'"'s' "say \"hi\"""#, ["it's", #"say "hi""#]),
        (#"'\n' "\n" \n"#, [#"\n"#, #"\n"#, "n"]),
        (#""\$ \` \\""#, [#"$ ` \"#]),
        ("one'two'\"three\"", ["onetwothree"]),
        ("a '' \"\"", ["a", "", ""]),
        ("a\\\nb", ["ab"]),
        (#""a\"# + "\n" + #"b""#, ["ab"]),
        ("echo $HOME ~ *.txt `date` #", ["echo", "$HOME", "~", "*.txt", "`date`", "#"]),
        ("sh -c 'a | b > c'", ["sh", "-c", "a | b > c"]),
        ("grüße 'ä ö'", ["grüße", "ä ö"]),
    ])
    func words(text: String, expected: [String]) throws {
        #expect(try CommandText.words(text) == expected)
    }

    @Test(arguments: [
        ("echo 'open", "'"), (#"echo "open"#, "\""), ("echo \\", "backslash"), ("a | b", "|"), ("a > b", ">"),
        ("a;b", ";"),
        ("a &", "&"), ("a\0b", "NUL"), ("", "empty"), (" \n", "empty"), ("'' a", "empty"),
    ])
    func refused(text: String, word: String) {
        let error = #expect(throws: CommandError.self) { try CommandText.words(text) }
        #expect(error?.message.contains(word) == true)
    }
}
