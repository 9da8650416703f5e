using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Tests.Operations;

/// <summary>A host with its operations, and what they report.</summary>
public abstract class OperationsOnAHost : IDisposable
{
    protected static readonly PoolGuid Tank = TestHost.Tank;
    protected static readonly OrderId Order = new("move-1/import/1");
    protected static readonly string[] Leaves = ["/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d1-part1"];

    protected static readonly OperationTerms Terms = new("importing for a test", "zfsha-agent", TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5))
    {
        Order = Order,
        Reason = "a test",
    };

    readonly PoolOperations _operations;

    protected OperationsOnAHost() => _operations = new(Host.Environment, Sink, TimeProvider.System);

    private protected TestHost Host { get; } = new();

    private protected RecordingSink Sink { get; } = new();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Host.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static ImportRequest Import(OperationTerms? terms = null) => new(Tank, null, [], terms ?? Terms);

    protected Task<OperationOutcome> ImportAsync(ImportRequest? request = null, CancellationToken? cancellation = null) =>
        _operations.ImportAsync(request ?? Import(), cancellation ?? Token);

    protected Task<OperationOutcome> ExportAsync(OperationTerms? terms = null) => _operations.ExportAsync(new(Tank, terms ?? Terms), Token);

    protected Task<OperationOutcome> ReadLabelsAsync(IReadOnlyList<string> leaves, OperationTerms? terms = null) =>
        _operations.ReadLabelsAsync(new(Tank, leaves, terms ?? Terms), Token);

    protected async Task ShouldBeFreeAsync()
    {
        var attempt = await new HostLocks(Host.Environment, TimeProvider.System).AcquireAsync(Tank, "a test", TimeSpan.FromSeconds(5), null, Token);
        attempt.ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    /// <summary>A zdb that prints the label and the newest uberblock given, of every device.</summary>
    protected static string Zdb(int state, string hostId, bool mmp) => $$"""
        echo '------------------------------------
        LABEL 0 
        ------------------------------------
            version: 5000
            name: '\''tank1'\''
            state: {{state}}
            txg: 100
            pool_guid: {{Tank}}
            hostid: '$(({{hostId}}))'
            hostname: '\''hostb'\''
            labels = 0 1 2 3 '
        printf '    Uberblock[12]\n\ttxg = 120\n\ttimestamp = 1795202422 UTC = Fri\n\tmmp_magic = 00000000a11cea11\n\tmmp_delay = {{(mmp ? 762385744 : 0)}}\n        labels = 0 1 2 3 \n'
        """;
}
