using System.Text;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    /// <summary>What a host may print, and what is kept of it. By name, because an attribute cannot hold half a surrogate pair.</summary>
    static readonly Dictionary<string, (string Printed, string Kept)> Texts = new()
    {
        ["NUL"] = ("a\0b", "a\uFFFDb"),
        ["only NUL"] = ("\0", "\uFFFD"),
        ["high surrogate alone"] = ("\ud800", "\uFFFD"),
        ["low surrogate alone"] = ("x\udc00y", "x\uFFFDy"),
        ["high surrogate before a pair"] = ("\ud83d\ud83d\ude00", "\uFFFD\ud83d\ude00"),
        ["pair"] = ("\ud83d\ude00", "\ud83d\ude00"),
        ["escapes spelled out"] = (@"\u0000 \ud800 \\u0000", @"\u0000 \ud800 \\u0000"),
        ["controls and separators"] = ("\u0001\u001b[31m\u007f\u0085\u2028\ufeff\uffff\"\\", "\u0001\u001b[31m\u007f\u0085\u2028\ufeff\uffff\"\\"),
        ["quotes and backslashes"] = (@"a'b""c\d\\e\"" \n \x $$ %s {0}", @"a'b""c\d\\e\"" \n \x $$ %s {0}"),
        ["bytes that are no UTF-8, as they are read"] = (Encoding.UTF8.GetString([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]), "a\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD"),
        ["SQL"] = ("'; drop table zfsha.mt_events; --", "'; drop table zfsha.mt_events; --"),
    };

    public static IEnumerable<TheoryDataRow<string, bool>> HostileTexts => Texts.Keys.SelectMany(name => new TheoryDataRow<string, bool>[] { new(name, true), new(name, false) });

    /// <summary>What PostgreSQL cannot store is replaced; the event that it stands in is not lost.</summary>
    [Theory]
    [MemberData(nameof(HostileTexts))]
    public async Task No_text_that_a_host_prints_loses_an_event(string name, bool escaped)
    {
        var (printed, kept) = Texts[name];
        string Body() => escaped ? Escaped(printed) : Raw(printed);
        await SendAsync(Message() with { Json = Body() });
        var message = await ClaimOneAsync();
        StderrIn(message.Json).ShouldBe(kept);
        var commit = (await CommitOnAsync(Stream, Event(Body(), actor: printed, correlation: printed) with { HeadersJson = Body() })) with
        {
            Causation = printed,
            Handled = new(message.Id, message.Attempts, printed),
            Messages = [Message(queue: "host-a") with { Json = Body() }],
            Documents = [new("alert", "1", Body(), "T", 1)],
            Lease = new LeaseChange.Grant("a", Session, Ages, Body()),
        };

        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);

        var read = await Store.LoadAsync(Stream, Cancellation);
        var stored = read.Events.ShouldHaveSingleItem();
        StderrIn(stored.Json).ShouldBe(kept);
        StderrIn(stored.HeadersJson).ShouldBe(kept);
        (stored.Actor, stored.Correlation, stored.Causation).ShouldBe((kept, kept, kept));
        StderrIn(read.Leases.ShouldHaveSingleItem().Attributes).ShouldBe(kept);
        StderrIn((await ClaimOneAsync("host-a")).Json).ShouldBe(kept);
        StderrIn((await Store.DocumentAsync("alert", "1", Cancellation))!.Json).ShouldBe(kept);
        (await VersionsAsync(All with { Correlation = printed })).ShouldBe([1]);
        (await VersionsAsync(All with { Host = printed })).ShouldBeEmpty();
    }

    public static IEnumerable<TheoryDataRow<string>> HostileNames => Texts.Keys.Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(HostileNames))]
    public async Task No_text_keeps_a_message_from_being_given_back_or_given_up(string name)
    {
        var (error, kept) = Texts[name];
        await SendAsync(Message());
        await Queue.RetryAsync(await ClaimOneAsync(), TimeSpan.Zero, error, Cancellation);

        await Queue.DeadLetterAsync(await ClaimOneAsync(), error, error, Cancellation);

        var letter = (await Queue.DeadLettersAsync(queue: null, 1, Cancellation)).ShouldHaveSingleItem();
        (letter.Reason, letter.Detail).ShouldBe((kept, kept));
    }

    /// <summary>A repeat is noticed although the key could not be stored as it was.</summary>
    [Fact]
    public async Task A_key_that_cannot_be_stored_as_it_is_still_notices_a_repeat()
    {
        await SendAsync(Message(), Message());
        var results = new List<CommitResult>();
        foreach (var message in await ClaimAsync())
            results.Add(await Store.CommitAsync((await CommitOnAsync(Stream)) with { Handled = new(message.Id, message.Attempts, "a\0b") }, Cancellation));

        results.ShouldBe([CommitResult.Committed, CommitResult.Duplicate]);
    }

    [Fact]
    public async Task A_mebibyte_of_standard_error_is_stored_whole()
    {
        var stderr = string.Concat(Enumerable.Repeat("cannot import 'tank': pool was previously in use \0 \u001b \ud800\r\n", 20_000));
        stderr.Length.ShouldBeGreaterThan(1024 * 1024);

        await AppendAsync(Event(Escaped(stderr)));

        StderrIn((await Store.LoadAsync(Stream, Cancellation)).Events[0].Json).ShouldBe(Kept(stderr));

        await SendAsync(Message() with { Json = Escaped(stderr) });
        await Queue.RetryAsync(await ClaimOneAsync(), TimeSpan.Zero, stderr, Cancellation);
        var message = await ClaimOneAsync();
        StderrIn(message.Json).ShouldBe(Kept(stderr));
        await Queue.DeadLetterAsync(message, "Failed", stderr, Cancellation);
        var letter = (await Queue.DeadLettersAsync(queue: null, 1, Cancellation)).ShouldHaveSingleItem();
        (StderrIn(letter.Json), letter.Detail).ShouldBe((Kept(stderr), Kept(stderr)));
    }

    static string Kept(string text) => text.Replace('\0', '\uFFFD').Replace('\ud800', '\uFFFD');

    /// <summary>The text as any JSON writer may write it: every UTF-16 unit escaped, valid or not.</summary>
    static string Escaped(string text) => $$"""{"Stderr":"{{string.Concat(text.Select(c => $"\\u{(int)c:x4}"))}}"}""";

    /// <summary>The text with only that escaped which JSON wants escaped: characters that PostgreSQL does not take stand there as they are.</summary>
    static string Raw(string text) => $$"""{"Stderr":"{{string.Concat(text.Select(c => c is '"' or '\\' or < ' ' ? $"\\u{(int)c:x4}" : $"{c}"))}}"}""";

    static string StderrIn(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("Stderr").GetString()!;
    }
}
