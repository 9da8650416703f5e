using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Moves;
using ZfsHaEvents.Cli.OnHost;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("'frobnicate' is not a verb of zfsha", "frobnicate")]
    [InlineData("Required argument 'POOL' missing", "owner")]
    [InlineData("'-f' is neither a pool GUID", "owner", "-f")]
    [InlineData("'../x' is not a host name", "switchover", "tank1", "--to", "../x")]
    [InlineData("'yesterday' is not a time", "owner", "tank1", "--at", "yesterday")]
    [InlineData("--limit takes a number from 1 to 10000", "history", "tank1", "--limit", "0")]
    [InlineData("--timeout takes a number of seconds", "switchover", "tank1", "--to", "b", "--timeout", "-1")]
    [InlineData("--comment is empty", "acknowledge", "tank1", "--comment", " ")]
    [InlineData("'a b' is not a request id", "dossier", "a b")]
    [InlineData("is not a server's address", "pools", "--server", "foo")]
    [InlineData("cannot be read", "bus", "send", "/nonexistent/message.json")]
    [InlineData("'1' is not a dead letter's id", "dead-letters", "show", "1")]
    [InlineData("'1' is not a dead letter's id", "dead-letters", "replay", "31848fe7-4de2-4d05-a0ac-83a52ccef1c8", "1")]
    [InlineData("Required argument 'ID' missing", "dead-letters", "replay")]
    [InlineData("Option '--reason' is required", "dead-letters", "discard", "31848fe7-4de2-4d05-a0ac-83a52ccef1c8")]
    [InlineData("--reason is empty", "dead-letters", "discard", "31848fe7-4de2-4d05-a0ac-83a52ccef1c8", "--reason", "")]
    [InlineData("--limit takes a number from 1 to 10000", "dead-letters", "--limit", "0")]
    [InlineData("'bury' is not a verb of zfsha dead-letters", "dead-letters", "bury")]
    [InlineData("'a/b' is not a reader's name", "projections", "pause", "a/b")]
    [InlineData("'..' is not a reader's name", "projections", "rebuild", "..")]
    [InlineData("Required argument 'NAME' missing", "projections", "resume")]
    [InlineData("Required argument 'STREAM' missing", "projections", "replay", "PoolActivity")]
    [InlineData("--by is empty", "projections", "pause", "PoolActivity", "--by", "")]
    [InlineData("'stop' is not a verb of zfsha projections", "projections", "stop")]
    [InlineData("'../x' is neither a pool GUID", "activity", "../x")]
    public async Task What_cannot_be_right_is_refused_before_anything_is_asked(string said, params string[] words)
    {
        var (code, output, error) = await ZfshaProcess.RunAsync(words);
        code.ShouldBe(ExitCodes.Usage, error);
        error.ShouldContain(said);
        output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_exit_code_69_and_what_to_do()
    {
        var (code, _, error) = await ZfshaProcess.RunAsync("pools");
        code.ShouldBe(ExitCodes.Unreachable);
        error.ShouldContain("the server at http://127.0.0.1:1/ cannot be reached: Connection refused");
        error.ShouldContain("--server or ZFSHA_SERVER");
    }

    [Fact]
    public async Task A_move_is_asked_for_by_its_pool_where_that_is_given()
    {
        using var server = new CannedServer(path => path.Contains("/events", StringComparison.Ordinal) ? "[]" : Canned.Text("halted-failover"));

        (await ZfshaProcess.RunAsync("dossier", "fo-1", "--pool", "a b", "--events", "--server", server.Address)).ExitCode.ShouldBe(ExitCodes.Done);
        await ZfshaProcess.RunAsync("call-off", "fo-1", "--pool", "a b", "--reason", "x", "--server", server.Address);

        server.Asked.ShouldBe(["/moves/fo-1?pool=a%20b", "/moves/fo-1121-1442-muqtfgkp/events?pool=5764272812602266167", "/moves/fo-1/call-offs?pool=a%20b"]);
    }

    const string Letter = "31848fe7-4de2-4d05-a0ac-83a52ccef1c8", Gone = "fabadb34-d4ad-4184-b7eb-67a88fac90ee";

    /// <summary>There is one dead letter, and no other.</summary>
    static CannedServer WithALetter() => new(path =>
        path.StartsWith("/dead-letters?", StringComparison.Ordinal) ? (200, Canned.Text("dead-letters"))
        : path.StartsWith($"/dead-letters/{Letter}", StringComparison.Ordinal) ? (200, JsonNode.Parse(Canned.Text("dead-letters"))![0]!.ToJsonString())
        : (404, """{"type":"UnknownDeadLetter","detail":"no dead letter has the id"}"""));

    [Fact]
    public async Task Dead_letters_are_listed_with_the_verb_list_as_without()
    {
        using var server = WithALetter();

        var plain = await ZfshaProcess.RunAsync("dead-letters", "--messages", "--server", server.Address);
        var listed = await ZfshaProcess.RunAsync("dead-letters", "list", "--messages", "--queue", "host-a b", "--limit", "5", "--server", server.Address);

        plain.ShouldBe(listed);
        plain.Output.ShouldContain("[1, 2]");
        server.Asked.ShouldBe(["/dead-letters?limit=1000", "/dead-letters?limit=5&queue=host-a%20b"]);
    }

    [Fact]
    public async Task Dead_letters_are_replayed_one_after_the_other_also_when_one_is_gone()
    {
        using var server = WithALetter();

        var (code, output, error) = await ZfshaProcess.RunAsync("dead-letters", "replay", Gone, Letter, Letter, "--by", "alice", "--server", server.Address);

        code.ShouldBe(ExitCodes.Refused);
        output.ShouldBe($"replayed: {Letter} of queue server");
        error.ShouldBe("refused: UnknownDeadLetter: no dead letter has the id");
        server.Requests.ShouldBe([$$"""POST /dead-letters/{{Gone}}/replays {"by":"alice"}""", $$"""POST /dead-letters/{{Letter}}/replays {"by":"alice"}"""]);
    }

    [Fact]
    public async Task A_dead_letter_is_discarded_with_its_reason_and_in_the_name_of_who_typed()
    {
        using var server = WithALetter();

        (await ZfshaProcess.RunAsync("dead-letters", "discard", Letter, "--reason", "a typing error", "--server", server.Address)).ShouldBe((ExitCodes.Done, $"discarded: {Letter} of queue server", ""));

        server.Requests.ShouldHaveSingleItem().ShouldMatch($$"""^DELETE /dead-letters/{{Letter}} \{"by":"[^"]+@[^"]+","reason":"a typing error"\}$""");
    }

    [Fact]
    public async Task For_a_program_each_dead_letter_has_its_outcome()
    {
        using var server = WithALetter();

        var (code, output, error) = await ZfshaProcess.RunAsync("dead-letters", "discard", Letter, Gone, "--reason", "x", "--json", "--server", server.Address);
        code.ShouldBe(ExitCodes.Refused);
        error.ShouldBeEmpty();
        output.ShouldBe($$"""
            [{"id":"{{Letter}}","outcome":"discarded","queue":"server","detail":null},{"id":"{{Gone}}","outcome":"UnknownDeadLetter","queue":null,"detail":"no dead letter has the id"}]
            """);

        var shown = await ZfshaProcess.RunAsync("dead-letters", "show", Letter, "--json", "--server", server.Address);
        ((string?)JsonNode.Parse(shown.Output)!["reason"]).ShouldBe("UnknownPool");
        (await ZfshaProcess.RunAsync("dead-letters", "show", Gone, "--server", server.Address)).ExitCode.ShouldBe(ExitCodes.Refused);
    }

    [Fact]
    public async Task For_a_program_an_error_is_a_document_too()
    {
        var (code, output, error) = await ZfshaProcess.RunAsync("pools", "--json");
        output.ShouldBeEmpty();
        using var document = JsonDocument.Parse(error);
        document.RootElement.GetProperty("error").GetString().ShouldBe("unreachable");
        document.RootElement.GetProperty("exitCode").GetInt32().ShouldBe(code);
    }

    [Fact]
    public async Task Help_lists_the_exit_codes_and_needs_no_arguments()
    {
        (await ZfshaProcess.RunAsync("--help")).Output.ShouldContain("75  the pool's host lock was not to be had in time");
        var (code, output, _) = await ZfshaProcess.RunAsync("import", "--help");
        code.ShouldBe(ExitCodes.Done);
        output.ShouldContain("--reason <TEXT>");
    }

    [Fact]
    public void How_a_move_ended_is_the_exit_code() =>
        Enum.GetValues<MoveState>().Select(s => (s, MoveWatch.ExitCode(s))).ShouldBe(
            [(MoveState.Running, 13), (MoveState.Completed, 0), (MoveState.Aborted, 11), (MoveState.Halted, 12)]);

    [Fact]
    public void What_zfs_refused_is_not_what_went_wrong() =>
        new[] { ZpoolFailure.None, ZpoolFailure.ActiveElsewhere, ZpoolFailure.LockTimedOut, ZpoolFailure.TimedOut, ZpoolFailure.DidNothing }
            .Select(OperationText.ExitCode).ShouldBe([0, 10, 75, 1, 1]);

    [Theory]
    [InlineData(400, 2)]
    [InlineData(404, 10)]
    [InlineData(409, 10)]
    [InlineData(500, 1)]
    public void What_the_server_answers_is_the_exit_code(int status, int code) => new ServerRefusedException(status, "Reason", "detail").ExitCode().ShouldBe(code);
}
