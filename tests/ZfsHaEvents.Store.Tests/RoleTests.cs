using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;
using static ZfsHaEvents.Store.Tests.RoleDatabase;

namespace ZfsHaEvents.Store.Tests;

/// <summary>Each role does what it is for, with a login of its own; and more is refused, whichever way it is tried.</summary>
public sealed class RoleTests(RoleDatabase roles) : IClassFixture<RoleDatabase>
{
    static readonly TimeSpan Ages = TimeSpan.FromMinutes(10);

    /// <summary>What nobody but the owner may do with the schema, and nobody at all with an event.</summary>
    static readonly string[] NobodyMay =
    [
        "update zfsha.mt_events set data = '{}'",
        "update zfsha.mt_events set is_archived = true, type = 'other'",
        "update zfsha.mt_events set transaction_id = '1'",
        "delete from zfsha.mt_events",
        "delete from zfsha.mt_streams",
        "truncate zfsha.mt_events",
        "truncate zfsha.mt_streams cascade",
        "drop table zfsha.mt_events",
        "drop schema zfsha cascade",
        "create table zfsha.mine (id int)",
        "create function zfsha.mine() returns void language sql as ''",
        "create or replace function zfsha.keep_events() returns trigger language plpgsql as 'begin return new; end'",
        "create index on zfsha.mt_events (type)",
        "alter table zfsha.mt_events add column mine int",
        "alter table zfsha.mt_events disable trigger keep_events",
        "alter table zfsha.mt_events disable trigger all",
        "drop trigger keep_events on zfsha.mt_events",
        "create trigger mine before insert on zfsha.mt_events for each row execute function zfsha.keep_events()",
        "set session_replication_role = replica",
        "set role zfsha",
        "set session authorization zfsha",
        "select setval('zfsha.mt_events_sequence', 1)",
        "alter table zfsha.mt_events owner to current_user",
        "insert into zfsha.incarnations (ordinal, reason) values (99, 'mine')",
        "update zfsha.incarnations set id = gen_random_uuid()",
        "insert into zfsha.agent_logins (login, host) values (session_user, 'b')",
        "update zfsha.schema_scripts set sha256 = ''",
        "copy zfsha.mt_events to program 'cat'",
    ];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // ---- the server --------------------------------------------------------------------------------------------------

    [Fact]
    public async Task The_server_does_everything_that_the_product_does()
    {
        var database = roles.As("server");
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        var queue = new PostgresMessageQueue(database, wakeUps, ["x"]);
        await ExecuteAsync(roles.Owner, "delete from zfsha.messages"); // Whatever tests before this one left.
        await queue.SendAsync([Message("server", """{"subject":"pool-s"}"""), Message("server", "{}"), Message("host-s", """{"subject":"pool-s"}""")], null, Cancellation);
        var claimed = await queue.ClaimAsync("server", 10, Ages, Cancellation);
        claimed.Count.ShouldBe(2);
        await queue.ExtendAsync(claimed, Ages, Cancellation);
        await queue.RetryAsync(claimed[1], TimeSpan.Zero, "again", Cancellation);
        await queue.DeadLetterAsync((await queue.ClaimAsync("server", 10, Ages, Cancellation)).ShouldHaveSingleItem(), "Failed", "test", Cancellation);
        (await queue.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldContain(l => l.Id == claimed[1].Id);
        (await queue.FindDeadLetterAsync(claimed[1].Id, Cancellation)).ShouldNotBeNull();
        (await queue.ReplayAsync(claimed[1].Id, Cancellation)).ShouldBeTrue();
        await queue.DeadLetterAsync((await queue.ClaimAsync("server", 10, Ages, Cancellation)).ShouldHaveSingleItem(), "Failed", "test", Cancellation);
        (await queue.DiscardAsync(claimed[1].Id, Cancellation)).ShouldNotBeNull();
        (await queue.ForgetHandledAsync(TimeSpan.FromDays(1), 10, Cancellation)).ShouldBe(0);
        var session = Guid.NewGuid();
        var commit = new Commit("pool-s", "pool", 0, DateTimeOffset.UtcNow, "http#1")
        {
            Events = [PostgresOnlyTests.Event(), PostgresOnlyTests.Event() with { Type = VersionsSeen.Poison }],
            Handled = new(claimed[0].Id, claimed[0].Attempts, "a key"),
            Messages = [Message("host-a", "{}")],
            Void = new("pool-s", "host-"),
            Documents = [.. ((string[])["poolownership", "dossier", "alert", "hostview"]).Select(k => new Document(k, "s", "{}", "T", 2))],
            Lease = new LeaseChange.Grant("s", session, TimeSpan.FromMilliseconds(1), "{}"),
        };

        (await store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);

        (await store.LoadAsync("pool-s", Cancellation)).Version.ShouldBe(2);
        (await store.QueryAsync(new("pool-s", [], null, null, null, null, 0, 10, false), Cancellation)).Count.ShouldBe(2);
        (await store.AsOfAsync(new("pool-s", DateTimeOffset.UtcNow.AddDays(1), ["pool_observed"], [VersionsSeen.Poison]), Cancellation)).ShouldNotBeEmpty();
        (await store.DocumentsAsync("alert", Cancellation)).ShouldContain(d => d.Id == "s");
        (await store.DocumentAsync("hostview", "s", Cancellation)).ShouldNotBeNull();
        (await queue.ClaimAsync("host-s", 10, Ages, Cancellation)).ShouldBeEmpty();
        await queue.WaitAsync("host-a", TimeSpan.Zero, Cancellation);
        queue.Renew("s", session).ShouldBeTrue();
        await Eventually.TrueAsync("its lease runs out", async () => (await queue.WatchAsync(TimeSpan.FromHours(1), Cancellation)).Any(l => l.Session == session));
        (await store.CommitAsync(new("host-s", "host", 0, DateTimeOffset.UtcNow, null) { Lease = new LeaseChange.Lose("s", session) }, Cancellation)).ShouldBe(CommitResult.Committed);

        var projection = new VersionsSeen();
        var control = new ProjectionControl(database, [projection]);
        var live = new SubscriptionRunner(database, new ProjectionSubscriber(database, projection, rebuild: false), Ages);
        (await control.MadeByAsync(projection, Cancellation)).ShouldBeNull();
        await ReadAllAsync(live);
        (await control.StatusAsync(Cancellation)).Single(r => r.Name == live.Name).Parked.ShouldHaveSingleItem().Stream.ShouldBe("pool-s");
        await control.HoldingBackAsync(Cancellation);
        (await control.PauseAsync(live.Name, "test", Cancellation)).ShouldBeTrue();
        (await control.ResumeAsync(live.Name, Cancellation)).ShouldBeTrue();
        (await control.ReplayAsync(live.Name, "pool-s", Cancellation)).ShouldNotBeNull();
        await control.ForgetParkedAsync(live.Name, "pool-s", Cancellation);
        (await control.RebuildAsync(projection, Cancellation)).ShouldBeTrue();
        await ReadAllAsync(new(database, new ProjectionSubscriber(database, projection, rebuild: true), Ages));
        (await control.IsRebuildingAsync(projection, Cancellation)).ShouldBeFalse();
        (await store.DocumentsAsync("poolactivity", Cancellation)).ShouldContain(d => d.Id == "s");
        await live.LeaveAsync(Cancellation);

        await ExecuteAsync(database, "select zfsha.mt_archive_stream('pool-s')");
        (await store.CommitAsync(new("pool-s", "pool", 2, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Archived);
        var incarnation = await queue.SettleIncarnationAsync(Cancellation);
        await ExecuteAsync(roles.Owner, "update zfsha.incarnations set whereabouts = '1/2/00000001'");
        (await queue.SettleIncarnationAsync(Cancellation)).ShouldBe(incarnation + 1);
        (await queue.IncarnationAsync(Cancellation)).ShouldNotBe(Guid.Empty);
        (await PostgresSchema.CheckAsync(database, Cancellation)).Pending.ShouldBeEmpty();
    }

    [Fact]
    public Task The_server_changes_no_event_and_nothing_of_the_schema() => roles.ShouldBeRefusedAsync("server",
    [
        .. NobodyMay,
        "update zfsha.mt_events set is_archived = false where stream_id = 'pool-archived'",
        "update zfsha.mt_streams set is_archived = false where id = 'pool-archived'",
        "update zfsha.mt_streams set is_archived = null where id = 'pool-archived'",
    ]);

    // ---- a host's agent ----------------------------------------------------------------------------------------------

    [Fact]
    public async Task An_agent_does_what_it_does_for_its_host()
    {
        await using var wakeUps = new WakeUps(roles.As("agent_a"));
        var queue = new PostgresMessageQueue(roles.As("agent_a"), wakeUps);
        await ExecuteAsync(roles.Owner, "delete from zfsha.messages where queue = 'host-a'; update zfsha.leases set incarnation = zfsha.current_incarnation()"); // Whatever tests before this one left.
        await PutAsync(Message("host-a", """{"subject":"1"}"""), Message("host-a", """{"subject":"2"}"""), Message("host-a", """{"subject":"3"}"""));

        var orders = await queue.ClaimAsync("host-a", 10, Ages, Cancellation);
        orders.Count.ShouldBe(3);
        await queue.ExtendAsync(orders, Ages, Cancellation);
        await queue.RetryAsync(orders[1], TimeSpan.Zero, "again", Cancellation);
        (await queue.ClaimAsync("host-a", 10, Ages, Cancellation)).ShouldHaveSingleItem().Attempts.ShouldBe(2);
        await queue.DeadLetterAsync(orders[2], "Failed", "test", Cancellation);
        NewMessage[] own = [Message("server", Says("a")), Message("server", Says("a", "zfsha.host.open-session"))];
        await queue.SendAsync(own, completes: orders[0].Id, Cancellation);
        queue.Renew("a", SessionOfA).ShouldBeTrue();
        queue.Renew("a", SessionOfB).ShouldBeFalse();
        (await queue.IncarnationAsync(Cancellation)).ShouldNotBe(Guid.Empty);
        await queue.WaitAsync("host-a", TimeSpan.Zero, Cancellation);

        (await ListAsync(roles.Owner, "select id::text from zfsha.messages where id = any ($1)", orders.Select(o => o.Id).ToArray())).ShouldBe([$"{orders[1].Id}"]);
        (await ListAsync(roles.Owner, "select id::text from zfsha.dead_letters where queue = 'host-a'")).ShouldBe([$"{orders[2].Id}"]);
        (await ListAsync(roles.Owner, "select id::text from zfsha.messages where queue = 'server' and id = any ($1) order by position", own.Select(o => o.Id).ToArray())).ShouldBe(own.Select(o => $"{o.Id}"));
    }

    [Fact]
    public async Task An_agent_takes_nothing_off_another_queue()
    {
        await PutAsync(Message("host-b", "{}"), Message("server", "{}"));

        await roles.ShouldBeRefusedAsync("agent_a", [.. ((string[])["host-b", "server", "host-", "", "host-a/../host-b"]).Select(q => $"select zfsha.claim_messages('{q}', 10, '1 hour', '{{}}')")]);
        (await ListAsync(roles.As("agent_a"), "select id::text from zfsha.claim_messages(null, 10, '1 hour', '{}')")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_agent_speaks_for_nobody_else_and_gives_no_orders()
    {
        string Send(params (string Queue, string Body)[] messages) =>
            $"select zfsha.send_messages(array[{string.Join(", ", messages.Select(_ => "gen_random_uuid()"))}], array[{string.Join(", ", messages.Select(m => $"'{m.Queue}'"))}]," +
            $" array[{string.Join(", ", messages.Select(m => $"'{m.Body}'"))}]::jsonb[], array[{string.Join(", ", messages.Select(_ => "interval '0'"))}], null)";

        await roles.ShouldBeRefusedAsync("agent_a",
            Send(("server", Says("b"))),
            Send(("server", Says("a", source: "zfsha-host/b"))),
            Send(("server", Says("a", source: "zfsha-server"))),
            Send(("server", """{"type":"zfsha.host.report","source":"zfsha-host/a","data":{"host":"b"}}""")),
            Send(("server", """{"type":"zfsha.host.report","source":"zfsha-host/a","data":{}}""")),
            Send(("server", """{"type":"zfsha.host.report","source":"zfsha-host/a"}""")),
            Send(("server", """{"source":"zfsha-host/a","data":{"host":"a"}}""")),
            Send(("server", Says("a", "zfsha.pool.switchover"))),
            Send(("server", "[]")),
            Send(("server", "null")),
            Send(("host-a", Says("a"))),
            Send(("host-b", Says("a"))),
            Send(("anything", Says("a"))),
            Send(("server", Says("a")), ("host-b", "{}")),
            $"select zfsha.send_messages(array[gen_random_uuid()], array['server'], array['{Says("a")}']::jsonb[], array[interval '1 day'], null)",
            "select zfsha.send_messages(array[gen_random_uuid()], array['server'], array[null]::jsonb[], array[interval '0'], null)");
    }

    [Fact]
    public async Task An_agent_does_nothing_to_what_others_have_taken()
    {
        await PutAsync(Message("host-b", "{}"), Message("server", "{}"), Message("server", Says("b")));
        await ListAsync(roles.Owner, "select id::text from zfsha.claim_messages('host-b', 10, '1 hour', '{}') union all select id::text from zfsha.claim_messages('server', 10, '1 hour', '{}')");
        var before = await roles.ContentsAsync();
        var taken = $"(select array_agg(id) from unnest(array[{string.Join(", ", (await ListAsync(roles.Owner, "select id::text from zfsha.messages where queue in ('host-b', 'server')")).Select(id => $"uuid '{id}'"))}]) id)";

        await ExecuteAsync(roles.As("agent_a"), $"select zfsha.extend_messages(array[id], array[n], '1 day') from unnest({taken}) id, generate_series(0, 3) n");
        await ExecuteAsync(roles.As("agent_a"), $"select zfsha.retry_message(id, n, n, '0', 'mine') from unnest({taken}) id, generate_series(0, 3) n");
        await ExecuteAsync(roles.As("agent_a"), $"select zfsha.bury_message(id, n, 'mine', 'mine') from unnest({taken}) id, generate_series(0, 3) n");
        await ExecuteAsync(roles.As("agent_a"), $"select zfsha.send_messages('{{}}', '{{}}', '{{}}', '{{}}', id) from unnest({taken}) id");
        (await ListAsync(roles.As("agent_a"), $"select coalesce(zfsha.renew_lease('b', '{SessionOfB}'), false)::text")).ShouldBe(["false"]);

        // A report of b's is not a's, and one of a's is: see An_agent_does_what_it_does_for_its_host.
        (await roles.ContentsAsync()).Where(r => !IsOf("a", r)).ShouldBe(before.Where(r => !IsOf("a", r)));

        static bool IsOf(string host, string row) => row.Contains($"zfsha-host/{host}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent_a")]
    [InlineData("agent_of_nobody")]
    public async Task An_agent_reads_no_table_and_calls_no_other_function(string login)
    {
        await roles.ShouldBeRefusedAsync(login,
        [
            .. NobodyMay,
            .. (await RelationsAsync()).Where(r => r != "incarnations").Select(r => $"select * from zfsha.{r}"),
            "insert into zfsha.messages (queue, body) values ('host-b', '{}')",
            "insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type) values (1000, gen_random_uuid(), 'pool-1', 3, '{}', 'x')",
            "update zfsha.leases set renewed_at = now()",
            "select zfsha.take_reader('VersionsSeen:All', gen_random_uuid(), '1 hour')",
            "select zfsha.leave_reader('VersionsSeen:All', gen_random_uuid())",
            "select zfsha.finish_rebuild('a', 'b', 'poolactivity', gen_random_uuid())",
            "select zfsha.begin_incarnation('mine')",
            "select zfsha.settle_incarnation()",
            "select zfsha.mt_archive_stream('pool-1')",
            "select zfsha.watch_leases('1 second')",
            "select nextval('zfsha.mt_events_sequence')",
        ]);

        (await FunctionsOfAsync(login)).ShouldBe(["bury_message", "claim_messages", "current_incarnation", "extend_messages", "renew_lease", "retry_message", "send_messages"]);
        await using var wakeUps = new WakeUps(roles.As(login));
        var commit = new Commit("pool-1", "pool", 2, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] };
        (await Should.ThrowAsync<PostgresException>(() => new PostgresEventStore(roles.As(login), wakeUps).CommitAsync(commit, Cancellation))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task The_agent_of_no_host_does_nothing_at_all()
    {
        await PutAsync(Message("host-a", "{}"), Message("host-", "{}"), Message("server", "{}"));
        var id = (await ListAsync(roles.Owner, "select id::text from zfsha.claim_messages('server', 100, '1 hour', '{}')"))[^1];

        await roles.ShouldBeRefusedAsync("agent_of_nobody",
        [
            .. ((string[])["host-a", "host-", "server"]).Select(q => $"select zfsha.claim_messages('{q}', 10, '1 hour', '{{}}')"),
            .. ((string[])["a", ""]).Select(h => $"select zfsha.send_messages(array[gen_random_uuid()], array['server'], array['{Says(h)}']::jsonb[], array[interval '0'], null)"),
            "select zfsha.send_messages(array[gen_random_uuid()], array['host-a'], array['{}']::jsonb[], array[interval '0'], null)",
            $"select zfsha.send_messages('{{}}', '{{}}', '{{}}', '{{}}', '{id}')",
            $"select zfsha.extend_messages(array['{id}'::uuid], array[1], '1 day')",
            $"select zfsha.retry_message('{id}', 1, 1, '0', 'mine')",
            $"select zfsha.bury_message('{id}', 1, 'mine', 'mine')",
            $"select zfsha.renew_lease('a', '{SessionOfA}')",
        ]);
    }

    [Fact]
    public async Task A_server_that_is_an_agent_too_is_a_server()
    {
        await ExecuteAsync(roles.Owner, $"create role {roles.NameOf("both")} login in role zfsha_agent, zfsha_server");
        await using var both = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(roles.Owner.ConnectionString) { Username = roles.NameOf("both") }.ConnectionString, "both");
        await PutAsync(Message("both", "{}"));

        (await ListAsync(both, "select id::text from zfsha.claim_messages('both', 10, '1 hour', '{}')")).ShouldHaveSingleItem();
    }

    /// <summary>The functions run with their owner's rights: nothing that the caller brings may be found in place of what they name.</summary>
    [Theory]
    [InlineData("pg_temp, pg_catalog")]
    [InlineData("pg_catalog, zfsha")]
    public async Task What_an_agent_puts_in_the_way_of_a_name_is_not_found(string searchPath)
    {
        // Whatever runs it with more rights than the caller has makes the caller b's agent too, and tells.
        const string Evil =
            """
            create function pg_temp.evil() returns boolean language plpgsql as $$
            begin
                raise notice 'ran as %', current_user;
                begin
                    update zfsha.agent_logins set host = 'b' where login = session_user;
                exception when insufficient_privilege then
                    null;
                end;
                return true;
            end $$;
            create function pg_temp.clock_timestamp() returns timestamptz language sql as 'select pg_temp.evil(); select now()';
            create function pg_temp.is_for(text, text, jsonb) returns boolean language sql as 'select pg_temp.evil()';
            create function pg_temp.says_so_itself(text, text, jsonb) returns boolean language sql as 'select pg_temp.evil()';
            create function pg_temp.agent_host() returns text language sql as $$ select pg_temp.evil(); select 'b' $$;
            create function pg_temp.format(text, text, text) returns text language sql as $$ select pg_temp.evil(); select '' $$;
            create function pg_temp.equals(pg_catalog.text, pg_catalog.text) returns boolean language sql as 'select pg_temp.evil()';
            create operator pg_temp.= (leftarg = pg_catalog.text, rightarg = pg_catalog.text, function = pg_temp.equals);
            create temporary table agent_logins (login name, host pg_catalog.text);
            create temporary table messages (id uuid, queue pg_catalog.text, body jsonb);
            create temporary table leases (holder pg_catalog.text);
            create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.evil());
            create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.evil());
            create domain pg_temp.name as pg_catalog.name check (pg_temp.evil());
            create domain pg_temp.timestamptz as pg_catalog.timestamptz check (pg_temp.evil());
            create domain pg_temp.text as pg_catalog.text check (pg_temp.evil());
            insert into pg_temp.agent_logins values (session_user, 'b');
            """;
        await PutAsync(Message("host-a", "{}"), Message("host-b", "{}"));
        string[] calls =
        [
            "select zfsha.claim_messages('host-b', 1, '1 hour', '{}')",
            "select zfsha.claim_messages('host-a', 1, '1 hour', '{}')",
            "select zfsha.send_messages(array[gen_random_uuid()], array['host-b'], array['{}']::pg_catalog.jsonb[], array[interval '0'], null)",
            $"select zfsha.send_messages(array[gen_random_uuid()], array['server'], array['{Says("a")}']::pg_catalog.jsonb[], array[interval '0'], gen_random_uuid())",
            "select zfsha.extend_messages(array[gen_random_uuid()], array[1], '1 hour')",
            "select zfsha.retry_message(gen_random_uuid(), 1, 1, '0', '')",
            "select zfsha.bury_message(gen_random_uuid(), 1, '', '')",
            $"select zfsha.renew_lease('b', '{SessionOfB}')",
            "select zfsha.current_incarnation()",
        ];
        var before = await ListAsync(roles.Owner, "select login || ' ' || host from zfsha.agent_logins order by 1");
        foreach (var call in calls)
        {
            var ran = new List<string>();
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(roles.As("agent_a").ConnectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(Cancellation);
            await using (var prepare = new NpgsqlCommand(Evil + $"set search_path = {searchPath};", connection)) await prepare.ExecuteNonQueryAsync(Cancellation);
            connection.Notice += (_, e) => ran.Add(e.Notice.MessageText);
            await using var command = new NpgsqlCommand(call, connection);
            try
            {
                await command.ExecuteNonQueryAsync(Cancellation);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                // As it should be where it names another host.
            }

            ran.Where(r => r.EndsWith(" zfsha", StringComparison.Ordinal)).ShouldBeEmpty(call);
        }

        (await ListAsync(roles.Owner, "select login || ' ' || host from zfsha.agent_logins order by 1")).ShouldBe(before);
        (await ListAsync(roles.Owner, "select id::text from zfsha.messages where queue = 'host-b' and attempts > 0 and enqueued_at >= (select max(enqueued_at) from zfsha.messages)")).ShouldBeEmpty();
    }

    // ---- people and dashboards ---------------------------------------------------------------------------------------

    [Fact]
    public async Task A_reader_reads_the_views_for_people_and_nothing_else()
    {
        string[] views = ["pool_history", "pool_ownership", "failovers", "pool_activity"];
        foreach (var view in views) await ExecuteAsync(roles.As("reader"), $"select * from zfsha.{view}");
        (await ListAsync(roles.As("reader"), "select distinct stream_id::text from zfsha.pool_history where pool_guid = '1'")).ShouldBe(["pool-1"]);

        await roles.ShouldBeRefusedAsync("reader",
        [
            .. NobodyMay,
            .. (await RelationsAsync()).Except(views).Select(r => $"select * from zfsha.{r}"),
            .. views.Select(v => $"delete from zfsha.{v}"),
            "update zfsha.pool_history set type = 'x'",
            "insert into zfsha.messages (body) values ('{}')",
            "select zfsha.mt_archive_stream('pool-1')",
            "select zfsha.claim_messages('server', 1, '1 hour', '{}')",
        ]);
        (await FunctionsOfAsync("reader")).ShouldBeEmpty();
    }

    /// <summary>A cheap condition of the reader's own must not be asked of rows that the view leaves out.</summary>
    [Fact]
    public async Task A_reader_sees_only_pools_however_it_asks()
    {
        await using var connection = await roles.As("reader").OpenConnectionAsync(Cancellation);
        var seen = new List<string>();
        connection.Notice += (_, e) => seen.Add(e.Notice.MessageText);
        await using var ask = new NpgsqlCommand(
            """
            set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off; -- What an index leaves out is never asked about.
            create function pg_temp.tell(varchar) returns boolean language plpgsql cost 0.000001 as $$ begin raise notice '%', $1; return true; end $$;
            select count(*) from zfsha.pool_history where pg_temp.tell(stream_id);
            """, connection);
        await ask.ExecuteNonQueryAsync(Cancellation);

        seen.ShouldContain("pool-1");
        seen.ShouldAllBe(s => s.StartsWith("pool-", StringComparison.Ordinal));
    }

    // ---- a Marten application ----------------------------------------------------------------------------------------

    [Fact]
    public async Task A_Marten_application_appends_in_each_of_its_modes_and_readers_of_ours_take_it_in()
    {
        var marten = roles.As("marten");
        const string Nine = "select zfsha.mt_quick_append_events('pool-m', 'pool', '*DEFAULT*', array[gen_random_uuid()], array['x']::varchar[], array['X']::varchar[], array['{}']::jsonb[], array[null]::bytea[], array['c']::varchar[], array['c']::varchar[], array['{}']::jsonb[], array['u']::varchar[]";
        await ExecuteAsync(marten, Nine + ")");
        await ExecuteAsync(marten, Nine + ", array[now()], 1)");
        await ExecuteAsync(marten, "select zfsha.mt_quick_append_events('pool-m', 'pool', '*DEFAULT*', array[gen_random_uuid()], array['x']::varchar[], array['X']::varchar[], array['{}']::jsonb[], array['c']::varchar[], array['c']::varchar[], array['{}']::jsonb[], array['u']::varchar[])");
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(marten, Nine + ", array[now()], 1)"))).SqlState.ShouldBe("MT003");
        // Its Rich mode: numbers and the stream's state in one round trip, then a batch of plain statements. First a stream that is there, then a new one.
        var numbers = (await ListAsync(marten, "select nextval('zfsha.mt_events_sequence')::text from generate_series(1, 4)")).Select(long.Parse).ToList();
        (await ListAsync(marten, "select version::text from zfsha.mt_streams where id = 'pool-m' for update")).ShouldBe(["3"]);
        string Insert(string stream, int version, int number) =>
            "insert into zfsha.mt_events (data, type, mt_dotnet_type, seq_id, id, stream_id, version, timestamp, tenant_id, causation_id, correlation_id, headers, user_name, is_archived, bdata) values " +
            $"('{{}}', 'x', 'X', {numbers[number]}, gen_random_uuid(), '{stream}', {version}, now(), '*DEFAULT*', 'c', 'c', '{{\"host\":\"a\"}}', 'u', false, null);";
        await ExecuteAsync(marten, "update zfsha.mt_streams set version = 5, timestamp = now() where id = 'pool-m' and version = 3;" + Insert("pool-m", 4, 0) + Insert("pool-m", 5, 1));
        await ExecuteAsync(marten, "insert into zfsha.mt_streams (id, type, version, tenant_id) values ('pool-n', 'pool', 2, '*DEFAULT*');" + Insert("pool-n", 1, 2) + Insert("pool-n", 2, 3));
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(marten, Insert("pool-n", 2, 3)))).SqlState.ShouldBe(PostgresErrorCodes.UniqueViolation);

        await Eventually.TrueAsync("a reader takes them in", async () =>
            (await new EventReader(roles.As("server")).AfterAsync(Position.Start, 1000, Cancellation)).Select(e => $"{e.Event.Stream}@{e.Event.Version}").Where(e => e is ['p', 'o', 'o', 'l', '-', 'm' or 'n', '@', _])
                .SequenceEqual(["pool-m@1", "pool-m@2", "pool-m@3", "pool-m@4", "pool-m@5", "pool-n@1", "pool-n@2"]));

        await ExecuteAsync(marten, "select zfsha.mt_archive_stream('pool-n')");
        (await ListAsync(roles.Owner, "select concat_ws(' ', bool_and(e.is_archived), bool_and(s.is_archived), count(*)) from zfsha.mt_events e join zfsha.mt_streams s on s.id = e.stream_id where s.id = 'pool-n'")).ShouldBe(["t t 2"]);
    }

    [Fact]
    public async Task A_Marten_application_keeps_its_own_progress_and_dead_letters()
    {
        var marten = roles.As("marten");
        await ExecuteAsync(marten, "select zfsha.mt_mark_event_progression('Orders:All', 1)");
        await ExecuteAsync(marten, "update zfsha.mt_event_progression set last_seq_id = 2, last_updated = now() where name = 'Orders:All' and last_seq_id = 1");
        await ExecuteAsync(marten, "insert into zfsha.mt_event_progression (name, last_seq_id) values ('Gone:All', 1); delete from zfsha.mt_event_progression where name = 'Gone:All'");
        (await ListAsync(marten, "select concat_ws(' ', zfsha.mt_mark_progression_with_skip('HighWaterMark', 5, 5), zfsha.mt_mark_progression_with_skip('HighWaterMark', 9, 5))")).ShouldBe(["5 9"]);
        await ExecuteAsync(marten, "insert into zfsha.mt_doc_deadletterevent (id, data) values (gen_random_uuid(), '{}'); update zfsha.mt_doc_deadletterevent set data = '{\"n\":1}'");

        (await ListAsync(roles.Owner, "select concat_ws(' ', name, last_seq_id) from zfsha.mt_event_progression where name in ('Orders:All', 'Gone:All', 'HighWaterMark') order by 1")).ShouldBe(["HighWaterMark 9", "Orders:All 2"]);
        (await ListAsync(roles.Owner, "select data::text from zfsha.mt_doc_deadletterevent")).ShouldBe(["""{"n": 1}"""]);
    }

    [Fact]
    public async Task A_Marten_application_has_no_say_in_the_order_of_reading_nor_in_anything_that_is_only_ours()
    {
        string Insert(string column, string value) =>
            $"insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, {column}) values (nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-1', 3, '{{}}', 'x', {value})";
        string[] ours = ["messages", "handled_messages", "dead_letters", "leases", "leases_now", "lease_watch", "agent_logins", "parked_streams", "schema_scripts", "reader_lag", "holding_back", "mt_doc_poolactivity_rebuild"];
        await roles.ShouldBeRefusedAsync("marten",
        [
            .. NobodyMay,
            Insert("transaction_id", "'1'"),
            Insert("incarnation", "1"),
            Insert("observed_at", "now()"),
            Insert("high_at", "now()"),
            .. ours.Select(t => $"select * from zfsha.{t}"),
            .. ((string[])["poolownership", "dossier", "alert", "hostview", "poolactivity"]).SelectMany(k => (string[])[$"update zfsha.mt_doc_{k} set data = '{{}}'", $"delete from zfsha.mt_doc_{k}"]),
            "insert into zfsha.messages (queue, body) values ('host-a', '{}')",
            "delete from zfsha.messages",
            "update zfsha.leases set lost = true",
            "update zfsha.mt_event_progression set transaction_id = '0'",
            "update zfsha.mt_event_progression set runner = null",
            "update zfsha.mt_event_progression set paused_at = now()",
            "update zfsha.mt_events set is_archived = false where stream_id = 'pool-archived'",
            "update zfsha.mt_streams set is_archived = false where id = 'pool-archived'",
            "select zfsha.claim_messages('server', 1, '1 hour', '{}')",
            "select zfsha.take_reader('VersionsSeen:All', gen_random_uuid(), '1 hour')",
            "select zfsha.begin_incarnation('mine')",
        ]);
        (await FunctionsOfAsync("marten")).ShouldBe(
            ["current_incarnation", "mt_archive_stream", "mt_mark_event_progression", "mt_mark_progression_with_skip", "mt_quick_append_events", "mt_quick_append_events", "quick_append"]);
        await using var wakeUps = new WakeUps(roles.As("marten"));
        var store = new PostgresEventStore(roles.As("marten"), wakeUps);
        foreach (var commit in (Commit[])[new("pool-1", "pool", 2, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, new("pool-1", "pool", 2, DateTimeOffset.UtcNow, null)])
            (await Should.ThrowAsync<PostgresException>(() => store.CommitAsync(commit, Cancellation))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    // ---- helpers -----------------------------------------------------------------------------------------------------

    static NewMessage Message(string queue, string json) => new(Guid.NewGuid(), queue, json, TimeSpan.Zero);

    static string Says(string host, string type = "zfsha.host.report", string? source = null) => $$$"""{"type":"{{{type}}}","source":"{{{source ?? "zfsha-host/" + host}}}","data":{"host":"{{{host}}}"}}""";

    async Task PutAsync(params NewMessage[] messages)
    {
        await using var wakeUps = new WakeUps(roles.Owner);
        await new PostgresMessageQueue(roles.Owner, wakeUps).SendAsync(messages, null, Cancellation);
    }

    /// <summary>Other tests write into other databases of the same PostgreSQL, and readers wait for their transactions.</summary>
    async Task ReadAllAsync(SubscriptionRunner runner)
    {
        var last = long.Parse((await ListAsync(roles.Owner, "select max(seq_id)::text from zfsha.mt_events where incarnation = zfsha.current_incarnation()"))[0]);
        await Eventually.TrueAsync($"{runner.Name} has read everything", async () =>
        {
            while (await runner.StepAsync(Cancellation) > 0) { }
            return (await ListAsync(roles.Owner, "select coalesce(max(last_seq_id), 0)::text from zfsha.mt_event_progression where name like 'VersionsSeen:%'")).Select(long.Parse).Single() >= last;
        });
        while (await runner.StepAsync(Cancellation) > 0) { }
    }

    /// <summary>Every table and view of ours.</summary>
    Task<List<string>> RelationsAsync() => ListAsync(roles.Owner, "select relname::text from pg_class where relnamespace = 'zfsha'::regnamespace and relkind in ('r', 'v') order by 1");

    /// <summary>Every function of ours that the login may call; PostgreSQL calls those of triggers itself.</summary>
    Task<List<string>> FunctionsOfAsync(string login) => ListAsync(roles.Owner,
        "select proname::text from pg_proc where pronamespace = 'zfsha'::regnamespace and has_function_privilege($1, oid, 'execute') order by 1", roles.NameOf(login));
}
