using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>A message names something that is not there, or not one thing. Sending it again will not help.</summary>
public sealed class UndeliverableException(string reason, string detail) : Exception($"{reason}: {detail}")
{
    /// <summary>One word for the dead letter.</summary>
    public string Reason { get; } = reason;

    /// <summary>A sentence that says what to do.</summary>
    public string Detail { get; } = detail;
}

/// <summary>Finds the stream that a message is about, and has it decided there.</summary>
public sealed class Dispatch(IEventStore store, StreamRunner runner)
{
    /// <summary>
    /// The bus's names of what does not wait for a message about its pool that failed and is to be tried again: what calls a move off, and
    /// what was observed.
    /// </summary>
    public static IReadOnlyList<string> Overtaking { get; } =
        [.. ((Type[])[typeof(CallOffMove), typeof(HostReport), typeof(HostLost), typeof(HostReconnected)]).Select(MessageTypes.NameOf)];

    const string WhatToDo = "'zfsha pools' lists those that are known, and a pool becomes known when the agent of a host that has it imported reports it";

    /// <exception cref="UndeliverableException">No such pool, or several of that name.</exception>
    public async Task<Ran> RunAsync(BusMessage envelope, Handled? handled, CancellationToken cancellation) => envelope.Message switch
    {
        IRequest request => await runner.RunAsync(await KnownPoolAsync(request.Pool, cancellation), request, envelope, handled, cancellation),
        IPoolMessage message => await runner.RunAsync(message.Pool.AsGuid()!.Value, message, envelope, handled, cancellation),
        IHostMessage message => await runner.RunAsync(message, envelope, handled, cancellation),
        IOrder => throw new UndeliverableException("WrongQueue", "orders go to a host's queue, and only the control plane makes them"),
        _ => throw new UndeliverableException("NoHandler", $"nothing handles a {envelope.Message.GetType().Name}"),
    };

    /// <summary>The pool of that GUID or name.</summary>
    /// <exception cref="UndeliverableException">No pool, or several pools, go by it.</exception>
    public async Task<PoolGuid> KnownPoolAsync(PoolReference reference, CancellationToken cancellation)
    {
        if (reference.AsGuid() is { } guid)
        {
            return await store.DocumentAsync(StreamRunner.Kinds.Ownership, guid.ToString(), cancellation) is not null
                ? guid
                : throw new UndeliverableException("UnknownPool", $"no host has ever reported a pool with GUID {guid}; {WhatToDo}");
        }

        var named = (await PoolsAsync(cancellation)).Where(p => p.Name?.Value == reference.Text).ToList();
        return named switch
        {
            [var one] => one.Pool,
            [] => throw new UndeliverableException("UnknownPool", $"no host has ever reported a pool named '{reference}'; {WhatToDo}"),
            _ => throw new UndeliverableException("AmbiguousPool", $"{named.Count} pools are named '{reference}': {string.Join(", ", named.Select(p => p.Pool))}; say which by its GUID"),
        };
    }

    /// <summary>Every pool's ownership view.</summary>
    public async Task<IReadOnlyList<PoolOwnership>> PoolsAsync(CancellationToken cancellation) =>
        [.. (await store.DocumentsAsync(StreamRunner.Kinds.Ownership, cancellation)).Select(d => System.Text.Json.JsonSerializer.Deserialize(d.Json, StoredJson.Default.PoolOwnership)!)];
}
