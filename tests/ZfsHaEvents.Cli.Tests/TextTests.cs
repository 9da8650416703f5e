using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Tests;

public class TextTests
{
    [Theory]
    [InlineData("tank1", "tank1")]
    [InlineData("a\u001b[2J\u001b]0;owned\u0007b", "a\\u001b[2J\\u001b]0;owned\\u0007b")]
    [InlineData("line one\nline two\r\n\tthree", "line one line two three")]
    [InlineData("abc\u202edef", "abc\\u202edef")]
    [InlineData("\u0085x\u2028y", "\\u0085x\\u2028y")]
    [InlineData("Größe 東京", "Größe 東京")]
    public void Text_from_elsewhere_cannot_command_the_terminal(string text, string shown) => Printable.Of(text).ShouldBe(shown);

    [Fact]
    public void A_hostile_text_is_printable_wherever_it_is_written()
    {
        var lines = Canned.Shown(screen =>
        {
            var table = new Table("A\u001bB", "C");
            table.Add("x\u001b[31m", "\u001b]52;c;aGk=\u0007");
            table.WriteTo(screen);
            screen.Hanging(4, ["\u001bhead "], ["text \u001b and more of it, long enough to be broken once"]);
            screen.Status("\u001b[5m");
        }, width: 30);

        lines.ShouldAllBe(line => !line.Contains('\u001b') && !line.Contains('\u0007'));
    }

    [Fact]
    public void A_pipe_gets_whole_lines_and_a_terminal_lines_that_fit()
    {
        static void Write(Screen screen) => screen.Hanging(6, ["head  "], ["one two three four five six seven eight nine ten"]);

        Canned.Shown(Write).ShouldBe(["head  one two three four five six seven eight nine ten"]);
        Canned.Shown(Write, width: 32).ShouldBe(["head  one two three four five", "      six seven eight nine ten"]);
    }

    [Fact]
    public void A_word_that_does_not_fit_stays_whole_because_it_may_be_copied() =>
        Canned.Shown(screen => screen.Hanging(0, [], ["see 0199a1b2-0000-7000-8000-000000000000 now"]), width: 30).ShouldBe(["see", "0199a1b2-0000-7000-8000-000000000000", "now"]);

    [Fact]
    public void A_colour_begins_and_ends_once_for_words_of_one_tone() =>
        Canned.Shown(screen => screen.Line(Piece.Good("all "), Piece.Good("well"), " so far"), width: 80, colour: true).ShouldBe(["\u001b[32mall well\u001b[0m so far"]);

    [Theory]
    [InlineData(-1, "0.00 s")]
    [InlineData(0.614, "0.61 s")]
    [InlineData(9.996, "10.0 s")]
    [InlineData(36.14, "36.1 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(11_520, "3 h 12 min")]
    [InlineData(353_000, "4 d 2 h")]
    public void A_duration_has_the_precision_that_it_deserves(double seconds, string shown) => Human.Duration(seconds).ShouldBe(shown);

    [Theory]
    [InlineData("tank1", "tank1")]
    [InlineData("a b", "'a b'")]
    [InlineData("", "''")]
    [InlineData("it's; rm -rf /", "'it'\\''s; rm -rf /'")]
    public void A_word_is_shown_as_it_must_be_typed(string word, string typed) => Human.Shell(word).ShouldBe(typed);
}
