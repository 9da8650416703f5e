namespace ZfsHaEvents.Cli.Text;

/// <summary>
/// A table without lines: columns as wide as their widest cell, two spaces apart. The last column takes what is left, and is broken to
/// fit a terminal.
/// </summary>
sealed class Table(params string[] headings)
{
    const string Gap = "  ";

    readonly List<Piece[]> _rows = [];

    /// <summary>Adds a row of as many cells as there are headings.</summary>
    public void Add(params Piece[] cells) => _rows.Add([.. cells.Select(c => c with { Text = Printable.Of(c.Text) })]);

    public void WriteTo(Screen screen, string indent = "")
    {
        var widths = headings.Select((heading, i) => _rows.Select(r => r[i].Text.Length).Append(heading.Length).Max()).ToArray();
        Write(screen, indent, widths, [.. headings.Select(h => Piece.Dim(h))]);
        foreach (var row in _rows) Write(screen, indent, widths, row);
    }

    static void Write(Screen screen, string indent, int[] widths, Piece[] row)
    {
        var filled = row.Length;
        while (filled > 1 && row[filled - 1].Text.Length == 0) filled--;
        var head = new List<Piece> { indent };
        for (var i = 0; i < filled - 1; i++) head.Add(row[i] with { Text = row[i].Text.PadRight(widths[i]) + Gap });
        screen.Hanging(head.Sum(p => p.Text.Length), head, [row[filled - 1]]);
    }
}
