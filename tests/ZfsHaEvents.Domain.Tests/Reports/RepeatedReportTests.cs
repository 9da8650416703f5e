using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>
/// Every fact a host can report, delivered twice. The second time nothing of the present changes and nobody is told anything.
/// </summary>
public sealed class RepeatedReportTests : Spec
{
    public static TheoryData<string> Facts => [
        "lock-acquired", "lock-released", "lock-timed-out", "lock-broken", "import-started", "import-succeeded", "import-refused", "import-unfinished",
        "export-started", "export-succeeded", "export-refused", "export-unfinished", "observed", "labels-read", "disks-watched", "order-refused"];

    [Theory]
    [MemberData(nameof(Facts))]
    public void A_typed_fact_changes_nothing_the_second_time(string kind)
    {
        Given(HeldBy(A)).When(Report(B, null, Fact(kind)));
        ChangesNothingAgain();
    }

    [Theory]
    [InlineData("export-succeeded")]
    [InlineData("export-refused")]
    [InlineData("export-unfinished")]
    [InlineData("order-refused")]
    [InlineData("lock-timed-out")]
    public void The_outcome_of_an_export_order_changes_nothing_the_second_time(string kind)
    {
        When(Report(A, ExportingOnA().Header.Id, Fact(kind)));
        ChangesNothingAgain();
    }

    [Theory]
    [InlineData("import-succeeded")]
    [InlineData("import-refused")]
    [InlineData("import-unfinished")]
    [InlineData("order-refused")]
    [InlineData("lock-timed-out")]
    public void The_outcome_of_an_import_order_changes_nothing_the_second_time(string kind)
    {
        When(Report(B, ImportingOnB().Header.Id, Fact(kind)));
        ChangesNothingAgain();
    }

    [Fact]
    public void The_outcome_of_reading_labels_changes_nothing_the_second_time()
    {
        When(Report(B, ReadingLabelsOnB().Header.Id, Fact("labels-read")));
        ChangesNothingAgain();
    }

    [Fact]
    public void The_outcome_changes_nothing_once_the_whole_move_is_over()
    {
        var exported = Report(A, ExportingOnA().Header.Id, ExportEnded(Sights.Absent));
        When(exported);
        var imported = Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Held));
        When(imported);

        foreach (var message in new[] { exported, imported })
        {
            When(message);
            ThenTheSamePresent(Pool);
            Pool.Holder().ShouldBe(B);
            Pool.Claimant.ShouldBe(B);
            ThenNoOrders();
        }
    }

    [Fact]
    public void A_report_that_comes_again_has_the_event_ids_of_its_first_coming_so_the_store_refuses_it()
    {
        Given(HeldBy(A)).When(Report(B, null, Fact("lock-acquired"), Fact("observed")));
        var first = Decided.Events.Select(e => e.Id).ToList();

        WhenAgain();

        Decided.Events.ShouldNotBeEmpty();
        Decided.Events.ShouldAllBe(e => first.Contains(e.Id));
    }

    void ChangesNothingAgain()
    {
        var before = Pool;
        WhenAgain();
        ThenTheSamePresent(before);
        Decided.Messages.ShouldBeEmpty();
    }

    void ThenTheSamePresent(Pool before) =>
        System.Text.Json.JsonSerializer.Serialize(Pool with { Version = 0 }).ShouldBe(System.Text.Json.JsonSerializer.Serialize(before with { Version = 0 }));

    HostFact Fact(string kind) => kind switch
    {
        "lock-acquired" => new HostFact.LockAcquired(NextSequence(), Now, "import", 0),
        "lock-released" => new HostFact.LockReleased(NextSequence(), Now, "import", 1),
        "lock-timed-out" => LockTimedOut(),
        "lock-broken" => new HostFact.LockBroken(NextSequence(), Now, "pid 1", "gone"),
        "import-started" => ImportStarted(),
        "import-succeeded" => ImportEnded(Sights.Held),
        "import-refused" => ImportEnded(Sights.Absent, ZpoolFailure.ForceRequired),
        "import-unfinished" => ImportEnded(Sights.Absent, ZpoolFailure.TimedOut, ended: false),
        "export-started" => new HostFact.ExportStarted(NextSequence(), Now, ["zpool", "export", "tank"], null),
        "export-succeeded" => ExportEnded(Sights.Absent),
        "export-refused" => ExportEnded(Sights.Held, ZpoolFailure.Busy),
        "export-unfinished" => ExportEnded(Sights.Held, ZpoolFailure.TimedOut, ended: false),
        "observed" => Observed(Sights.Absent),
        "labels-read" => LabelsRead(Sights.Label(LabelState.Active, A)),
        "disks-watched" => new HostFact.DisksWatched(NextSequence(), Now, DiskActivity.Writing, 1, [new("d0", new(1, 2, 3, 1000), new(2, 2, 3, 1000), null)], "d0 was written"),
        "order-refused" => Refused(OrderRefusal.StaleSession),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
