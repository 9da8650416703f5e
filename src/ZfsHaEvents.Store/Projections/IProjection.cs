namespace ZfsHaEvents.Store.Projections;

/// <summary>
/// A view made of events: one document for each stream that concerns it, in a table <c>mt_doc_{Kind}</c> of its own, beside a table
/// <c>mt_doc_{Kind}_rebuild</c> in which it is made anew.
/// </summary>
public interface IProjection
{
    /// <summary>Its name, unique among readers; letters only.</summary>
    string Name { get; }

    /// <summary>Counts changes of what it makes of events, from 1. A view of a former version is made anew and read until then.</summary>
    int Version { get; }

    /// <summary>Which table: <c>mt_doc_{Kind}</c>.</summary>
    string Kind { get; }

    /// <summary>The document's type, for <c>mt_dotnet_type</c>.</summary>
    string DotnetType { get; }

    /// <summary>The document that an event of this stream goes into; null when none.</summary>
    string? DocumentOf(string stream);

    /// <summary>A document as it was written; null for a stream not seen before.</summary>
    object Read(string? json);

    /// <summary>The document after an event. What is thrown here parks the stream: it must not hold up the others.</summary>
    object Apply(object document, StoredEvent e);

    /// <summary>The document as JSON.</summary>
    string Write(object document);
}
