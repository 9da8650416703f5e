namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>Something that must never happen did. The message is the rule that was broken; the history stands beside it.</summary>
public sealed class FindingException(string rule, Exception? inner = null) : Exception(rule, inner);

/// <summary>Where an exploration notes what it does, so that a failing seed can be read from its first step.</summary>
public sealed class Journal
{
    readonly List<string> _lines = [];

    public void Note(string line) => _lines.Add($"{_lines.Count + 1,3}. {line}");

    public override string ToString() => string.Join('\n', _lines);
}
