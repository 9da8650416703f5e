using System.Diagnostics.CodeAnalysis;
using Npgsql;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Store.Projections;

/// <summary>Keeps a projection's documents up with the events; or makes them anew beside those that are read, and puts them in their place.</summary>
public sealed class ProjectionSubscriber(NpgsqlDataSource database, IProjection projection, bool rebuild) : ISubscriber
{
    /// <summary>What is remembered between pages so that documents need not be read each time; beyond this it is forgotten.</summary>
    const int RememberedMax = 20_000;

    readonly Dictionary<string, (object Document, long Version)> _documents = [];
    HashSet<string>? _parked;

    /// <summary>The place of the documents that are read: named as Marten names a projection's, with its version from the second on.</summary>
    public static string LiveName(IProjection projection) => projection.Version == 1 ? $"{projection.Name}:All" : $"{projection.Name}:V{projection.Version}:All";

    /// <summary>The place of those that are being made anew. The row is there while a rebuild runs.</summary>
    public static string RebuildName(IProjection projection) => projection.Version == 1 ? $"{projection.Name}:Rebuild" : $"{projection.Name}:V{projection.Version}:Rebuild";

    /// <inheritdoc/>
    public string Name { get; } = rebuild ? RebuildName(projection) : LiveName(projection);

    string Kind { get; } = rebuild ? $"{projection.Kind}_rebuild" : projection.Kind;

    /// <inheritdoc/>
    public Task ResetAsync(CancellationToken cancellation)
    {
        _documents.Clear();
        _parked = null;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<Effects> TakeInAsync(IReadOnlyList<PlacedEvent> page, CancellationToken cancellation)
    {
        _parked ??= await ParkedAsync(cancellation);
        if (_documents.Count > RememberedMax) _documents.Clear();
        var byStream = page.GroupBy(e => e.Event.Stream).Select(g => (Stream: g.Key, Id: projection.DocumentOf(g.Key), Events: g.Select(e => e.Event)))
            .Where(g => g.Id is not null && !_parked.Contains(g.Stream)).ToList();
        await RememberAsync([.. byStream.Select(g => g.Id!).Where(id => !_documents.ContainsKey(id))], cancellation);

        var (changed, parked) = (new List<Document>(), new List<ParkedStream>());
        foreach (var (stream, id, events) in byStream)
        {
            // What the document has taken in already, it does not take in again, wherever the place has been moved to.
            var (document, upTo) = _documents[id!];
            var fold = Fold(projection, document, events.Where(e => e.Version > upTo));
            _documents[id!] = (fold.Document, fold.Version ?? upTo);
            if (fold.Version is { } version) changed.Add(new(Kind, id!, Storable.Json(projection.Write(fold.Document)), projection.DotnetType, version));
            if (fold.Parked is not { } poison) continue;

            parked.Add(poison);
            _parked.Add(stream);
        }

        return new(Kind, projection.DotnetType, changed, parked);
    }

    /// <inheritdoc/>
    public async Task CaughtUpAsync(Guid runner, CancellationToken cancellation)
    {
        if (!rebuild) return;
        await using var finish = new NpgsqlCommand("select zfsha.finish_rebuild($1, $2, $3, $4)")
        {
            Parameters = { new() { Value = LiveName(projection) }, new() { Value = Name }, new() { Value = projection.Kind }, new() { Value = runner } },
        };
        await database.RunAsync(finish, cancellation);
    }

    /// <summary>Applies events one after the other, up to the first that cannot be.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever a projection throws is kept with the stream it threw at.")]
    internal static (object Document, long? Version, ParkedStream? Parked) Fold(IProjection projection, object document, IEnumerable<StoredEvent> events)
    {
        long? version = null;
        foreach (var e in events)
        {
            try
            {
                document = projection.Apply(document, e);
                version = e.Version;
            }
            catch (Exception exception)
            {
                return (document, version, new(e.Stream, e.Version, e.Type, exception.Message));
            }
        }

        return (document, version, null);
    }

    async Task<HashSet<string>> ParkedAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select stream_id from zfsha.parked_streams where name = $1") { Parameters = { new() { Value = Name } } };
        await using var reader = await database.ReadAsync(command, cancellation);
        var parked = new HashSet<string>();
        while (await reader.ReadAsync(cancellation)) parked.Add(reader.GetString(0));
        return parked;
    }

    [SuppressMessage("Security", "CA2100", Justification = "A projection's kind is one of ours.")]
    async Task RememberAsync(string[] ids, CancellationToken cancellation)
    {
        if (ids.Length == 0) return;
        foreach (var id in ids) _documents[id] = (projection.Read(null), 0);
        await using var command = new NpgsqlCommand($"select id, data::text, mt_version from zfsha.\"mt_doc_{Kind}\" where id = any ($1)") { Parameters = { new() { Value = ids } } };
        await using var reader = await database.ReadAsync(command, cancellation);
        while (await reader.ReadAsync(cancellation)) _documents[reader.GetString(0)] = (projection.Read(reader.GetString(1)), reader.GetInt64(2));
    }
}
