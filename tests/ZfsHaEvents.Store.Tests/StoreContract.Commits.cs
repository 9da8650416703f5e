using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_stream_that_nobody_wrote_to_is_at_version_zero()
    {
        var read = await Store.LoadAsync(Stream, Cancellation);

        read.Version.ShouldBe(0);
        read.Events.ShouldBeEmpty();
        read.Leases.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_appended_is_read_back_with_everything_that_is_known_of_it()
    {
        const string Headers = """{"host":"a","boot":"6a2f41a3-c54c-fce8-32d2-0324e1c32e22","sequence":17,"late":true,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}""";
        var observed = new DateTimeOffset(2026, 2, 28, 23, 59, 59, 123, 456, TimeSpan.Zero);
        var read = await Store.LoadAsync(Stream, Cancellation);
        var appended = new NewEvent(
            Guid.NewGuid(), "import_refused", "ZfsHaEvents.Domain.Pools.ImportRefused, ZfsHaEvents.Domain", """{"Host":"a","ZpoolSeconds":25.5,"Txg":18446744073709551615}""", Headers, observed, "alice", "move-1");

        (await Store.CommitAsync(new(Stream, "pool", 0, read.Now, "/runbooks#move-1") { Events = [appended] }, Cancellation)).ShouldBe(CommitResult.Committed);

        var after = await Store.LoadAsync(Stream, Cancellation);
        after.Version.ShouldBe(1);
        var stored = after.Events.ShouldHaveSingleItem();
        stored.Stream.ShouldBe(Stream);
        stored.Version.ShouldBe(1);
        stored.Id.ShouldBe(appended.Id);
        stored.Type.ShouldBe("import_refused");
        ShouldSayTheSame(stored.Json, appended.Json);
        stored.Json.ShouldContain("18446744073709551615"); // As written: a reader may be less exact than the store.
        ShouldSayTheSame(stored.HeadersJson, Headers);
        stored.ObservedAt.ShouldBe(observed);
        stored.RecordedAt.ShouldBe(read.Now);
        stored.Actor.ShouldBe("alice");
        stored.Correlation.ShouldBe("move-1");
        stored.Causation.ShouldBe("/runbooks#move-1");
    }

    [Fact]
    public async Task What_is_not_known_of_an_event_is_null()
    {
        var read = await Store.LoadAsync(Stream, Cancellation);
        await Store.CommitAsync(new(Stream, "pool", 0, read.Now, Causation: null) { Events = [Event(correlation: null)] }, Cancellation);

        var stored = (await Store.LoadAsync(Stream, Cancellation)).Events.ShouldHaveSingleItem();
        stored.Correlation.ShouldBeNull();
        stored.Causation.ShouldBeNull();
    }

    [Fact]
    public async Task Events_are_numbered_from_one_in_the_order_in_which_they_were_given()
    {
        NewEvent[] given = [Event(), Event(), Event(), Event(), Event()];
        await AppendAsync(given[..3]);
        await AppendAsync(given[3..]);

        var read = await Store.LoadAsync(Stream, Cancellation);
        read.Version.ShouldBe(5);
        read.Events.Select(e => e.Version).ShouldBe([1, 2, 3, 4, 5]);
        read.Events.Select(e => e.Id).ShouldBe(given.Select(e => e.Id));
    }

    [Fact]
    public async Task Streams_do_not_see_each_other()
    {
        await AppendAsync(Event());
        await Store.CommitAsync(await CommitOnAsync("pool-2", Event(), Event()), Cancellation);

        (await Store.LoadAsync(Stream, Cancellation)).Events.Count.ShouldBe(1);
        (await Store.LoadAsync("pool-2", Cancellation)).Events.Select(e => e.Version).ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_commit_decided_on_another_version_is_a_conflict_and_a_value(long decidedOn)
    {
        await AppendAsync(Event(), Event());
        var late = (await CommitOnAsync(Stream, Event())) with { ExpectedVersion = decidedOn };

        (await Store.CommitAsync(late, Cancellation)).ShouldBe(CommitResult.VersionConflict);

        (await Store.LoadAsync(Stream, Cancellation)).Version.ShouldBe(2);
    }

    [Fact]
    public async Task Of_many_writers_to_one_stream_each_gets_all_its_events_in_and_none_is_overwritten()
    {
        const int Writers = 8, Rounds = 5;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var e = Event(actor: $"writer-{writer}");
                while (await Store.CommitAsync(await CommitOnAsync(Stream, e), Cancellation) is not CommitResult.Committed) await Task.Yield();
            }
        })));

        var read = await Store.LoadAsync(Stream, Cancellation);
        read.Events.Select(e => e.Version).ShouldBe(Enumerable.Range(1, Writers * Rounds).Select(v => (long)v));
        read.Events.CountBy(e => e.Actor!).ShouldAllBe(count => count.Value == Rounds);
    }

    [Fact]
    public async Task The_clock_is_read_with_the_stream()
    {
        var before = (await Store.LoadAsync(Stream, Cancellation)).Now;
        await PassAsync(Ages);

        (await Store.LoadAsync(Stream, Cancellation)).Now.ShouldBeGreaterThanOrEqualTo(before + Ages);
    }

    [Fact]
    public async Task The_incarnation_is_one_for_streams_and_for_leases()
    {
        var incarnation = (await Store.LoadAsync(Stream, Cancellation)).Incarnation;

        incarnation.ShouldNotBe(Guid.Empty);
        (await Store.LoadAsync("pool-2", Cancellation)).Incarnation.ShouldBe(incarnation);
        (await Leases.IncarnationAsync(Cancellation)).ShouldBe(incarnation);
    }

    // ---- one transaction ---------------------------------------------------------------------------------------------

    static readonly Guid Session = Guid.NewGuid();

    /// <summary>Everything that a commit can hold, in answer to a message.</summary>
    async Task<Commit> FullCommitAsync(ClaimedMessage handled) => (await CommitOnAsync(Stream, Event(), Event())) with
    {
        Handled = new(handled.Id, handled.Attempts, "somewhere#" + TextOf(handled)),
        Messages = [Message(queue: "host-a", text: "order"), Message(text: "later", delay: TimeSpan.FromMinutes(1))],
        Documents = [new("poolownership", "1234567890", """{"Holder":"a"}""", "ZfsHaEvents.Domain.Views.PoolOwnership", 2)],
        Lease = new LeaseChange.Grant("a", Session, Ages, """{"Boot":"x"}"""),
    };

    [Fact]
    public async Task Handled_message_events_view_lease_and_outgoing_messages_are_written_together()
    {
        await SendAsync(Message());
        var commit = await FullCommitAsync(await ClaimOneAsync());

        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);

        var read = await Store.LoadAsync(Stream, Cancellation);
        read.Version.ShouldBe(2);
        read.Leases.ShouldHaveSingleItem().Holder.ShouldBe("a");
        var view = (await Store.DocumentAsync("poolownership", "1234567890", Cancellation)).ShouldNotBeNull();
        (view.Kind, view.Id, view.DotnetType, view.Version).ShouldBe(("poolownership", "1234567890", "ZfsHaEvents.Domain.Views.PoolOwnership", 2));
        ShouldSayTheSame(view.Json, """{"Holder":"a"}""");
        TextOf(await ClaimOneAsync("host-a")).ShouldBe("order");
        await PassAsync(Ages);
        TextOf((await ClaimAsync()).ShouldHaveSingleItem()).ShouldBe("later"); // And not the one that was handled.
    }

    [Fact]
    public async Task After_a_conflict_nothing_of_the_commit_is_there_and_the_message_is_handled_later()
    {
        await SendAsync(Message());
        var message = await ClaimOneAsync();
        var commit = await FullCommitAsync(message);
        await AppendAsync(Event());

        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.VersionConflict);

        await ShouldHaveWrittenNothingAsync(versionBefore: 1);
        (await Store.CommitAsync(await FullCommitAsync(message), Cancellation)).ShouldBe(CommitResult.Committed); // Decided again.
    }

    [Fact]
    public async Task A_commit_of_a_message_that_another_worker_took_meanwhile_writes_nothing()
    {
        await SendAsync(Message());
        var slow = await ClaimOneAsync();
        await PassAsync(Ages + Ages);
        var successor = await ClaimOneAsync();

        (await Store.CommitAsync(await FullCommitAsync(slow), Cancellation)).ShouldBe(CommitResult.NotOurs);

        await ShouldHaveWrittenNothingAsync(versionBefore: 0);
        (await Store.CommitAsync(await FullCommitAsync(successor), Cancellation)).ShouldBe(CommitResult.Committed);
        (await Store.CommitAsync(await FullCommitAsync(slow), Cancellation)).ShouldBe(CommitResult.NotOurs);
        (await Store.LoadAsync(Stream, Cancellation)).Version.ShouldBe(2);
    }

    [Fact]
    public async Task A_lease_that_is_not_to_be_had_undoes_the_whole_commit()
    {
        await Store.CommitAsync((await CommitOnAsync("host-a")) with { Lease = new LeaseChange.Grant("a", Guid.NewGuid(), Ages, "{}") }, Cancellation);
        await SendAsync(Message());
        var message = await ClaimOneAsync();
        var commit = await FullCommitAsync(message) with { Lease = new LeaseChange.Lose("a", Session) };

        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.LeaseHeld);

        await ShouldHaveWrittenNothingAsync(versionBefore: 0);
        (await Store.CommitAsync(commit with { Lease = null }, Cancellation)).ShouldBe(CommitResult.Committed); // Neither message nor key was used up.
    }

    [Theory]
    [InlineData("event")]
    [InlineData("headers")]
    [InlineData("document")]
    [InlineData("message")]
    [InlineData("attributes")]
    public async Task A_commit_with_a_body_that_is_not_JSON_is_thrown_out_whole(string what)
    {
        const string Broken = "{\"half\":";
        await SendAsync(Message());
        var message = await ClaimOneAsync();
        var commit = await FullCommitAsync(message);

        await Should.ThrowAsync<Exception>(() => Store.CommitAsync(what switch
        {
            "event" => commit with { Events = [Event(), Event(Broken)] },
            "headers" => commit with { Events = [Event(), Event() with { HeadersJson = Broken }] },
            "document" => commit with { Documents = [.. commit.Documents, commit.Documents[0] with { Id = "2", Json = Broken }] },
            "message" => commit with { Messages = [.. commit.Messages, commit.Messages[0] with { Id = Guid.NewGuid(), Json = Broken }] },
            _ => commit with { Lease = new LeaseChange.Grant("a", Session, Ages, Broken) },
        }, Cancellation));

        await ShouldHaveWrittenNothingAsync(versionBefore: 0);
        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);
    }

    async Task ShouldHaveWrittenNothingAsync(long versionBefore)
    {
        var read = await Store.LoadAsync(Stream, Cancellation);
        read.Version.ShouldBe(versionBefore);
        read.Events.Count.ShouldBe((int)versionBefore);
        read.Leases.ShouldNotContain(l => l.Session == Session);
        (await Store.DocumentsAsync("poolownership", Cancellation)).ShouldBeEmpty();
        (await ClaimAsync(queue: "host-a")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_message_put_twice_is_handled_once()
    {
        await SendAsync(Message("tank", text: "same"), Message("tank", text: "same"));
        (await Store.CommitAsync(await FullCommitAsync(await ClaimOneAsync()), Cancellation)).ShouldBe(CommitResult.Committed);

        (await Store.CommitAsync(await FullCommitAsync(await ClaimOneAsync()), Cancellation)).ShouldBe(CommitResult.Duplicate);

        (await Store.LoadAsync(Stream, Cancellation)).Version.ShouldBe(2);
        (await ClaimAsync(queue: "host-a")).Count.ShouldBe(1);
        await PassAsync(Ages + Ages);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["later"]); // The repeat is gone from the queue.
    }

    [Fact]
    public async Task A_message_that_led_to_nothing_is_remembered_too()
    {
        await SendAsync(Message("tank"), Message("tank"));
        async Task<CommitResult> HandleAsync()
        {
            var message = await ClaimOneAsync();
            return await Store.CommitAsync((await CommitOnAsync(Stream)) with { Handled = new(message.Id, message.Attempts, "somewhere#1") }, Cancellation);
        }

        (await HandleAsync()).ShouldBe(CommitResult.Committed);
        (await HandleAsync()).ShouldBe(CommitResult.Duplicate);
        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Documents_are_replaced_and_listed_by_id()
    {
        async Task WriteAsync(params Document[] documents) =>
            (await Store.CommitAsync((await CommitOnAsync(Stream, Event())) with { Documents = documents }, Cancellation)).ShouldBe(CommitResult.Committed);
        await WriteAsync(new("dossier", "m2", """{"State":"Running"}""", "T", 1), new("dossier", "m1", "{}", "T", 1), new("alert", "m1", "{}", "T", 1));
        await WriteAsync(new Document("dossier", "m2", """{"State":"Completed"}""", "T", 2));

        var dossiers = await Store.DocumentsAsync("dossier", Cancellation);
        dossiers.Select(d => d.Id).ShouldBe(["m1", "m2"]);
        ShouldSayTheSame(dossiers[1].Json, """{"State":"Completed"}""");
        dossiers[1].Version.ShouldBe(2);
        (await Store.DocumentAsync("dossier", "m3", Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task A_change_of_claim_voids_the_orders_that_nobody_has_taken_yet_and_no_others()
    {
        await SendAsync(Message("7", "host-a", "taken"));
        await ClaimOneAsync("host-a");
        await SendAsync(Message("7", "host-b", "void"), Message("7", "host-b", "void, scheduled", Ages), Message("8", "host-b", "another pool's"), Message("7", "server", "not an order"));

        var commit = (await CommitOnAsync(Stream, Event())) with { Void = new("7", "host-"), Messages = [Message("7", "host-c", "new")] };
        (await Store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);

        await PassAsync(Ages + Ages);
        (await ClaimAsync(queue: "host-a")).Select(TextOf).ShouldBe(["taken"]);
        (await ClaimAsync(queue: "host-b")).Select(TextOf).ShouldBe(["another pool's"]);
        (await ClaimAsync(queue: "host-c")).Select(TextOf).ShouldBe(["new"]);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["not an order"]);
    }
}
