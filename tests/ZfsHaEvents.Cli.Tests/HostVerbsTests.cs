using System.Text.Json;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>The verbs of a storage host, as real processes on fake disks, with no server to ask.</summary>
public sealed class HostVerbsTests : IAsyncLifetime
{
    readonly FakeHosts _hosts = new();

    public async ValueTask InitializeAsync() => await _hosts.StartAsync();

    public ValueTask DisposeAsync() => _hosts.DisposeAsync();

    [Fact]
    public async Task A_command_runs_under_the_lock_and_its_exit_code_is_ours()
    {
        var (code, output, error) = await _hosts.OnAsync("alpha", "lock", "tank1", "--purpose", "a check", "--", "sh", "-c", "echo -f \"$ZFSHA_LOCKS\"; exit 7");
        code.ShouldBe(7, error);
        output.ShouldMatch("^-f [0-9]+=[0-9]+$");
        _hosts.Spooled("alpha").ShouldContain("lock-acquired");
        _hosts.Spooled("alpha").ShouldContain("lock-released");
        _hosts.Spooled("alpha").ShouldContain("a check");
    }

    [Fact]
    public async Task What_the_host_lacks_is_no_error_of_ours()
    {
        var (code, output, error) = await ZfshaProcess.RunAsync(new Dictionary<string, string>(_hosts.Variables("alpha")) { ["ZFSHA_RUN_DIR"] = "/dev/null/zfsha" }, "lock", "tank1", "--", "echo", "not so");
        (code, output).ShouldBe((ExitCodes.Failed, ""));
        error.ShouldStartWith("zfsha: /dev/null/zfsha cannot be made (");
        error.ShouldEndWith("move it out of the way.");
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_127() => (await _hosts.OnAsync("alpha", "lock", "tank1", "--", "/nonexistent")).ExitCode.ShouldBe(127);

    [Fact]
    public async Task A_second_one_times_out_with_75_and_is_told_who_has_the_lock()
    {
        using var first = _hosts.Start("alpha", "lock", "tank1", "--purpose", "a long check", "--", "sh", "-c", "echo locked; read line");
        (await first.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe("locked");

        var (code, _, error) = await _hosts.OnAsync("alpha", "lock", "tank1", "--timeout", "0.2", "--", "echo", "not so");
        code.ShouldBe(ExitCodes.LockTimedOut);
        error.ShouldContain("a long check");
        (await _hosts.OnAsync("alpha", "export", "tank1", "--timeout", "0.2")).ExitCode.ShouldBe(ExitCodes.LockTimedOut);

        first.StandardInput.Close();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        (await _hosts.OnAsync("alpha", "lock", "tank1", "--timeout", "10", "--", "true")).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Locks_tells_by_its_exit_code_whether_one_is_free_held_or_stale()
    {
        var none = await _hosts.OnAsync("alpha", "locks");
        (none.ExitCode, none.Output).ShouldBe((ExitCodes.Done, "no pool was ever locked on alpha since it booted"));
        (await _hosts.OnAsync("alpha", "lock", "tank1", "--", "true")).ExitCode.ShouldBe(0);
        var free = await _hosts.OnAsync("alpha", "locks");
        (free.ExitCode, free.Output.Split('\n')[^1]).ShouldBe((ExitCodes.Done, "tank1  free  -            -    -"));

        using var first = _hosts.Start("alpha", "lock", "tank1", "--purpose", "a long check", "--", "sh", "-c", "echo $PPID; read line");
        var pid = int.Parse((await first.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))!, null);
        var held = await _hosts.OnAsync("alpha", "locks", "--json");
        held.ExitCode.ShouldBe(ExitCodes.Pending, held.Error);
        using (var document = JsonDocument.Parse(held.Output))
        {
            document.RootElement.GetProperty("host").GetString().ShouldBe("alpha");
            var one = document.RootElement.GetProperty("locks").EnumerateArray().ShouldHaveSingleItem();
            (one.GetProperty("name").GetString(), one.GetProperty("state").GetString()).ShouldBe(("tank1", "Held"));
            var holder = one.GetProperty("holder");
            (holder.GetProperty("pid").GetInt32(), holder.GetProperty("purpose").GetString(), holder.GetProperty("user").GetString()).ShouldBe((pid, "a long check", Environment.UserName));
            foreach (var member in new[] { "host", "boot", "startTicks", "since", "correlation" }) holder.TryGetProperty(member, out var _).ShouldBeTrue(member);
            one.GetProperty("processes").EnumerateArray().Select(p => p.GetProperty("pid").GetInt32()).ShouldContain(pid);
        }
        (await _hosts.OnAsync("alpha", "locks")).Output.ShouldContain($"pid {pid} (user {Environment.UserName}, a long check)");

        first.Kill();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        first.StandardInput.Close(); // And with it the command, which had inherited the lock.
        (int ExitCode, string Output, string Error) stale;
        do stale = await _hosts.OnAsync("alpha", "locks");
        while (stale.ExitCode == ExitCodes.Pending);
        stale.ExitCode.ShouldBe(ExitCodes.Trouble, stale.Error);
        stale.Output.ShouldContain($"was pid {pid} (user {Environment.UserName}, a long check): pid {pid} (started at tick ");
        stale.Error.ShouldContain("whoever takes the lock next records whose it was");

        (await _hosts.OnAsync("alpha", "lock", "tank1", "--", "true")).ExitCode.ShouldBe(0);
        _hosts.Spooled("alpha").ShouldContain("lock-broken");
        (await _hosts.OnAsync("alpha", "locks")).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Fact]
    public async Task Spool_tells_by_its_exit_code_whether_it_is_empty_waiting_or_in_trouble()
    {
        var empty = await _hosts.OnAsync("alpha", "spool");
        empty.ExitCode.ShouldBe(ExitCodes.Done, empty.Error);
        empty.Output.ShouldStartWith("nothing waits on alpha to be told\n  disk    0.0 MiB of 128.0 MiB in ");

        (await _hosts.OnAsync("alpha", "lock", "tank1", "--", "true")).ExitCode.ShouldBe(0);
        var waiting = await _hosts.OnAsync("alpha", "spool", "--json");
        waiting.ExitCode.ShouldBe(ExitCodes.Pending, waiting.Error);
        using (var document = JsonDocument.Parse(waiting.Output))
        {
            document.RootElement.GetProperty("state").GetString().ShouldBe("Waiting");
            var spool = document.RootElement.GetProperty("spool");
            (spool.GetProperty("entries").GetInt32(), spool.GetProperty("bytes").GetInt32(), spool.GetProperty("isFull").GetBoolean()).ShouldBe((2, 8192, false));
            spool.GetProperty("oldest").GetDateTimeOffset().ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-2), DateTimeOffset.UtcNow);
        }
        (await _hosts.OnAsync("alpha", "spool")).Output.ShouldStartWith("2 entries wait on alpha to be told\n  oldest  ");

        File.WriteAllText(_hosts.SpoolFile("alpha", "0000000000000000009.json"), "torn");
        var trouble = await _hosts.OnAsync("alpha", "spool");
        trouble.ExitCode.ShouldBe(ExitCodes.Trouble);
        trouble.Error.ShouldContain("0000000000000000009.json is no spool entry: ");
    }

    [Fact]
    public async Task With_a_full_spool_a_command_is_not_run_and_that_is_said_now_and_told_later()
    {
        (await _hosts.OnAsync("alpha", "lock", "tank1", "--", "true")).ExitCode.ShouldBe(0);
        var variables = new Dictionary<string, string>(_hosts.Variables("alpha")) { ["ZFSHA_SPOOL_LIMIT_MB"] = "1" };
        File.WriteAllText(_hosts.SpoolFile("alpha", "0000000000000000009.json"), $$"""{"Completes":null,"Text":"{{new string('x', 1024 * 1024)}}"}""");

        var (code, output, error) = await ZfshaProcess.RunAsync(variables, "lock", "tank1", "--", "echo", "not so");
        (code, output).ShouldBe((ExitCodes.Failed, ""));
        error.ShouldContain("is full: 1.0 MiB wait to be told, of 1.0 MiB, and what is typed stops at nine tenths. Nothing was begun");

        var spool = await ZfshaProcess.RunAsync(variables, "spool");
        spool.ExitCode.ShouldBe(ExitCodes.Trouble);
        spool.Output.ShouldContain("FULL");
        spool.Output.ShouldContain(": 1x LockAcquired; told once there is room");
        (await _hosts.OnAsync("alpha", "lock", "tank1", "--timeout", "0", "--", "echo", "so")).Output.ShouldBe("so"); // The lock was given back; and here is room.
        _hosts.Spooled("alpha").ShouldContain("SpoolFull");
    }

    [Fact]
    public async Task What_runs_under_the_lock_may_use_zfsha_itself()
    {
        var (code, output, error) = await _hosts.OnAsync("alpha", "lock", "tank1", "--", ZfshaProcess.Program, "export", "tank1", "--timeout", "1");
        code.ShouldBe(0, error);
        output.ShouldStartWith("tank1 exported on alpha in ");
    }

    [Fact]
    public async Task An_export_is_done_once_and_recorded_with_its_reason()
    {
        (await _hosts.OnAsync("alpha", "export", "tank1", "--reason", "patch day")).ExitCode.ShouldBe(0);
        _hosts.Zpool("alpha", "list", "-H", "-o", "name").Trim().ShouldBe("tank2");
        _hosts.Spooled("alpha").ShouldContain("patch day");

        var again = await _hosts.OnAsync("alpha", "export", "tank1");
        (again.ExitCode, again.Output).ShouldBe((0, "tank1 was not imported on alpha already; nothing was run"));
    }

    [Fact]
    public async Task Without_a_server_a_pool_is_imported_only_where_multihost_is_proven_or_a_reason_is_given()
    {
        (await _hosts.OnAsync("alpha", "export", "tank1")).ExitCode.ShouldBe(0);
        (await _hosts.OnAsync("alpha", "export", "tank2")).ExitCode.ShouldBe(0);

        var proven = await _hosts.OnAsync("beta", "import", "tank1");
        proven.ExitCode.ShouldBe(0, proven.Error);

        var refused = await _hosts.OnAsync("beta", "import", "tank2");
        refused.ExitCode.ShouldBe(ExitCodes.Refused);
        refused.Error.ShouldContain("refused: MultihostNotProven: ");
        _hosts.Zpool("beta", "list", "-H", "-o", "name").Trim().ShouldBe("tank1");

        var reasoned = await _hosts.OnAsync("beta", "import", "tank2", "--reason", "alpha is switched off", "--json");
        reasoned.ExitCode.ShouldBe(0, reasoned.Error);
        using var document = JsonDocument.Parse(reasoned.Output);
        document.RootElement.GetProperty("sight").GetProperty("presence").GetString().ShouldBe("ReadWrite");
        document.RootElement.GetProperty("run").GetProperty("arguments").EnumerateArray().Select(a => a.GetString()).ShouldNotContain("-f");
        _hosts.Spooled("beta").ShouldContain("alpha is switched off");
    }

    [Fact]
    public async Task Whether_an_import_is_permitted_is_asked_when_the_lock_is_had()
    {
        (await _hosts.OnAsync("alpha", "export", "tank2")).ExitCode.ShouldBe(0);
        using var first = _hosts.Start("beta", "lock", "tank2", "--", "sh", "-c", "echo locked; read line");
        (await first.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe("locked");

        (await _hosts.OnAsync("beta", "import", "tank2", "--timeout", "0.2")).ExitCode.ShouldBe(ExitCodes.LockTimedOut);
        first.StandardInput.Close();
        await first.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var refused = await _hosts.OnAsync("beta", "import", "tank2", "--timeout", "10");
        (refused.ExitCode, refused.Error.Contains("MultihostNotProven")).ShouldBe((ExitCodes.Refused, true));
        _hosts.Spooled("beta").ShouldNotContain("import-started");
        _hosts.Spooled("beta").ShouldContain("order-refused"); // Who asked and why not are in the pool's history, too.
        _hosts.Spooled("beta").ShouldContain("MultihostNotProven: ");
    }

    [Fact]
    public async Task The_host_that_had_a_pool_last_is_not_watched_for_and_must_give_a_reason()
    {
        (await _hosts.OnAsync("alpha", "export", "tank1")).ExitCode.ShouldBe(0);
        var refused = await _hosts.OnAsync("alpha", "import", "tank1");
        refused.ExitCode.ShouldBe(ExitCodes.Refused);
        refused.Error.ShouldContain("refused: MultihostNotAsked: ");
    }

    [Fact]
    public async Task A_pool_that_is_live_elsewhere_is_refused_by_zfs_itself()
    {
        var (code, _, error) = await _hosts.OnAsync("beta", "import", "tank1");
        code.ShouldBe(ExitCodes.Refused);
        error.ShouldContain("refused: import of tank1 on beta: ");
        error.ShouldContain("The pool is not imported here.");
    }

    [Fact]
    public async Task A_scan_reads_the_labels_of_every_device_once_and_imports_nothing()
    {
        var (code, output, error) = await _hosts.OnAsync("beta", "scan", "--json");
        code.ShouldBe(0, error);
        using var document = JsonDocument.Parse(output);
        var pools = document.RootElement.GetProperty("pools").EnumerateArray().ToList();
        pools.Select(p => p.GetProperty("name").GetString()).ShouldBe(["tank1", "tank2"]);
        pools[0].GetProperty("devices").EnumerateArray().Select(d => d.GetString()).ShouldBe(["/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d1-part1"]);
        pools[0].GetProperty("label").GetProperty("mmpActive").GetBoolean().ShouldBeTrue();
        pools[1].GetProperty("label").GetProperty("mmpActive").GetBoolean().ShouldBeFalse();
        _hosts.Spooled("beta").ShouldBeEmpty();
        _hosts.Zpool("beta", "list", "-H", "-o", "name").ShouldNotContain("tank");
    }

    [Fact]
    public async Task A_scan_of_one_pool_is_recorded()
    {
        (await _hosts.OnAsync("beta", "scan", "tank2")).Output.ShouldContain("multihost off");
        _hosts.Spooled("beta").ShouldContain("labels-read");
        (await _hosts.OnAsync("beta", "scan", "nopool")).ExitCode.ShouldBe(ExitCodes.Refused);
    }

    [Fact]
    public async Task A_witness_tells_a_living_holder_from_a_dead_one_and_says_when_it_cannot_tell()
    {
        var (code, output, error) = await _hosts.OnAsync("beta", "witness", "tank1", "--json");
        code.ShouldBe(ExitCodes.Writing, error);
        using (var document = JsonDocument.Parse(output))
        {
            document.RootElement.GetProperty("activity").GetString().ShouldBe("Writing");
            document.RootElement.GetProperty("importedHere").GetBoolean().ShouldBeFalse();
            document.RootElement.GetProperty("leaves").EnumerateArray().Select(l => l.GetProperty("path").GetString()).ShouldBe(["/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d1-part1"]);
        }

        _hosts.Spooled("beta").ShouldContain("disks-watched");
        (await _hosts.OnAsync("alpha", "witness", "tank1")).Error.ShouldContain("it is imported on alpha: what was seen may be this host's own writing");

        _hosts.Crash("alpha");

        var silent = await _hosts.OnAsync("beta", "witness", "tank1");
        silent.ExitCode.ShouldBe(ExitCodes.Done, silent.Output + silent.Error);
        silent.Output.ShouldMatch("^tank1  silent: no write to any of 2 leaves in [0-9.]+ s, where multihost writes to each every 1 s\n");
        var hurried = await _hosts.OnAsync("beta", "witness", "tank1", "--time", "1");
        (hurried.ExitCode, hurried.Output.Contains("2 multihost intervals are 2 s", StringComparison.Ordinal)).ShouldBe((ExitCodes.Doubt, true), hurried.Output);
        var off = await _hosts.OnAsync("beta", "witness", "tank2");
        (off.ExitCode, off.Output.Contains("multihost is off", StringComparison.Ordinal)).ShouldBe((ExitCodes.Doubt, true), off.Output);
        _hosts.Zpool("beta", "list", "-H", "-o", "name").ShouldNotContain("tank");
    }

    [Fact]
    public async Task A_witness_of_a_pool_on_none_of_the_disks_is_refused()
    {
        var (code, _, error) = await _hosts.OnAsync("beta", "witness", "nopool");
        code.ShouldBe(ExitCodes.Refused);
        error.ShouldBe("refused: NotVisible: no device of beta carries a label of nopool\nSee zfsha scan.");
        _hosts.Spooled("beta").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pool_that_nobody_can_see_is_refused_with_what_was_looked_at()
    {
        var (code, _, error) = await _hosts.OnAsync("beta", "lock", "nopool", "--", "true");
        code.ShouldBe(ExitCodes.Refused);
        error.ShouldContain("none of the 8 devices read carries a label of one");
    }
}
