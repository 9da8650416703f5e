namespace ZfsHaEvents.Domain.Views;

/// <summary>What a pool has been through, in numbers: the asynchronous view behind <c>zfsha activity</c>. Late news counts where it arrived.</summary>
public sealed class PoolActivity
{
    /// <summary>Its latest name; null when nobody told one.</summary>
    public string? Name { get; set; }

    /// <summary>Events in its stream.</summary>
    public long Events { get; set; }

    /// <summary>When the first and the last of them were observed, by the clocks of those who saw them.</summary>
    public DateTimeOffset? FirstAt { get; set; }

    /// <inheritdoc cref="FirstAt"/>
    public DateTimeOffset? LastAt { get; set; }

    /// <summary>Imports and exports that hosts carried out, whoever asked for them.</summary>
    public long Imports { get; set; }

    /// <inheritdoc cref="Imports"/>
    public long Exports { get; set; }

    /// <summary>Imports and exports that ZFS refused, or that failed.</summary>
    public long Refused { get; set; }

    /// <inheritdoc cref="Refused"/>
    public long Failed { get; set; }

    /// <summary>Switchovers and failovers that were completed.</summary>
    public long Switchovers { get; set; }

    /// <inheritdoc cref="Switchovers"/>
    public long Failovers { get; set; }

    /// <summary>Moves that were aborted, and what stopped the pool from taking orders.</summary>
    public long Aborted { get; set; }

    /// <inheritdoc cref="Aborted"/>
    public long Halts { get; set; }

    /// <summary>Times that two hosts were found holding it at once.</summary>
    public long Conflicts { get; set; }

    /// <summary>When a move of it was last completed.</summary>
    public DateTimeOffset? LastMovedAt { get; set; }

    /// <summary>Events that each host saw or did.</summary>
    public SortedDictionary<string, long> ByHost { get; set; } = new(StringComparer.Ordinal);
}
