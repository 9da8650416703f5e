using System.Collections;

namespace ZfsHaEvents.Simulator.Disks;

/// <summary>
/// An ordered list of named values, as libnvpair has them: what a vdev label holds, what <c>zdb -l</c> prints, and what an
/// ioctl carries. Values are unsigned numbers, texts, lists and arrays of lists.
/// </summary>
sealed class NvList : IEnumerable<KeyValuePair<string, object>>
{
    readonly List<KeyValuePair<string, object>> _pairs = [];

    public int Count => _pairs.Count;

    public void Add(string name, ulong value) => Set(name, value);

    public void Add(string name, string value) => Set(name, value);

    public void Add(string name, NvList value) => Set(name, value);

    public void Add(string name, IReadOnlyList<NvList> value) => Set(name, value);

    /// <summary>A flag is a number that is there or not: absent is off.</summary>
    public void AddFlag(string name, bool on)
    {
        if (on) Set(name, 1UL);
    }

    /// <summary>Adds the text unless there is none.</summary>
    public void AddText(string name, string? value)
    {
        if (value is not null) Set(name, value);
    }

    public bool Has(string name) => Find(name) is not null;

    public bool Flag(string name) => Find(name) is ulong and not 0;

    /// <exception cref="InvalidDataException">There is no such number: the list was not written by this program.</exception>
    public ulong Number(string name) => Find(name) as ulong? ?? throw Missing(name);

    public ulong NumberOr(string name, ulong otherwise) => Find(name) as ulong? ?? otherwise;

    /// <exception cref="InvalidDataException">There is no such text.</exception>
    public string Text(string name) => Find(name) as string ?? throw Missing(name);

    public string? TextOrNone(string name) => Find(name) as string;

    /// <exception cref="InvalidDataException">There is no such list.</exception>
    public NvList List(string name) => Find(name) as NvList ?? throw Missing(name);

    /// <summary>The array of lists of that name; empty when there is none.</summary>
    public IReadOnlyList<NvList> Lists(string name) => Find(name) as IReadOnlyList<NvList> ?? [];

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _pairs.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static InvalidDataException Missing(string name) => new($"The list has no '{name}' of the expected type.");

    object? Find(string name)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Key == name) return pair.Value;
        }
        return null;
    }

    /// <summary>Names are unique, as in a list made with NV_UNIQUE_NAME: a second value replaces the first in its place.</summary>
    public void Set(string name, object value)
    {
        for (var at = 0; at < _pairs.Count; at++)
        {
            if (_pairs[at].Key != name) continue;

            _pairs[at] = new(name, value);
            return;
        }
        _pairs.Add(new(name, value));
    }
}
