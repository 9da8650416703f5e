namespace ZfsHaEvents.Simulator.Applets;

/// <summary>One line of <c>zpool get</c> or <c>zfs get</c>.</summary>
sealed record PropertyRow(string Name, string Property, string Value, string Source);

/// <summary>The table that <c>zpool get</c> and <c>zfs get</c> print (zprop_print_one_property).</summary>
static class PropertyTable
{
    static readonly string[] AllColumns = ["name", "property", "value", "source"];

    /// <summary>The columns of a <c>-o</c>, or all.</summary>
    /// <exception cref="UsageException">There is no such column.</exception>
    public static IReadOnlyList<string> Columns(string? option)
    {
        if (option is null or "all") return AllColumns;

        var columns = option.Split(',');
        foreach (var column in columns)
        {
            if (!AllColumns.Contains(column)) throw new UsageException($"invalid column name '{column}'");
        }
        return columns;
    }

    /// <param name="terminal">Where to.</param>
    /// <param name="rows">What.</param>
    /// <param name="columns">Which columns, in this order.</param>
    /// <param name="scripted">With tabs and without a header (-H).</param>
    public static void Print(Terminal terminal, IReadOnlyList<PropertyRow> rows, IReadOnlyList<string> columns, bool scripted)
    {
        if (rows.Count == 0) return;

        var widths = columns.Select(column => rows.Max(row => Math.Max(column.Length, Cell(row, column).Length))).ToList();
        if (!scripted) PrintRow(terminal, [.. columns.Select(column => column.ToUpperInvariant())], widths, scripted);
        foreach (var row in rows) PrintRow(terminal, [.. columns.Select(column => Cell(row, column))], widths, scripted);
    }

    static void PrintRow(Terminal terminal, string[] cells, List<int> widths, bool scripted)
    {
        for (var at = 0; at < cells.Length; at++)
        {
            if (at == cells.Length - 1) terminal.WriteLine(cells[at]);
            else terminal.Write(scripted ? cells[at] + "\t" : cells[at].PadRight(widths[at]) + "  ");
        }
    }

    static string Cell(PropertyRow row, string column) => column switch
    {
        "name" => row.Name,
        "property" => row.Property,
        "value" => row.Value,
        _ => row.Source,
    };
}
