using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>The contract on the in-memory twin.</summary>
public sealed class InMemoryStoreTests : StoreContract
{
    readonly ManualClock _clock = new();
    readonly InMemoryStore _store;

    public InMemoryStoreTests() => _store = new(_clock, Overtaking);

    protected override IEventStore Store => _store;

    protected override IMessageQueue Queue => _store;

    protected override ILeases Leases => _store;

    protected override Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }
}
