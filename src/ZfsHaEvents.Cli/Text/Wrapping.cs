namespace ZfsHaEvents.Cli.Text;

/// <summary>Breaks text into lines at spaces.</summary>
static class Wrapping
{
    /// <summary>Lines of at most <paramref name="width"/> characters. A word that is longer than that stays whole: it may be an id to be copied.</summary>
    public static IEnumerable<List<Piece>> Lines(IEnumerable<Piece> pieces, int width)
    {
        var line = new List<Piece>();
        var used = 0;
        foreach (var word in Words(pieces))
        {
            var text = word.Text.TrimEnd(' ');
            if (used > 0 && used + text.Length > width)
            {
                yield return Trimmed(line);
                (line, used) = ([], 0);
            }

            line.Add(word);
            used += word.Text.Length;
        }

        if (line.Count > 0) yield return Trimmed(line);
    }

    /// <summary>Words, each with the spaces that follow it.</summary>
    static IEnumerable<Piece> Words(IEnumerable<Piece> pieces)
    {
        foreach (var piece in pieces)
        {
            var text = Printable.Of(piece.Text);
            for (var start = 0; start < text.Length;)
            {
                var end = text.IndexOf(' ', start);
                while (end >= 0 && end < text.Length && text[end] == ' ') end++;
                if (end < 0) end = text.Length;
                yield return piece with { Text = text[start..end] };
                start = end;
            }
        }
    }

    static List<Piece> Trimmed(List<Piece> line)
    {
        line[^1] = line[^1] with { Text = line[^1].Text.TrimEnd(' ') };
        return line;
    }
}
