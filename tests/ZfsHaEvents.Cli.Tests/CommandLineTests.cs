using System.Text.Json;
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
