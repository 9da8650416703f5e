using System.Globalization;
using System.Text;

namespace ZfsHaEvents.Cli.Text;

/// <summary>
/// Makes text from elsewhere safe to show: names, reasons and the output of commands come from anybody, and a terminal
/// obeys what it is sent.
/// </summary>
static class Printable
{
    /// <summary>The text on one line: white space folded, control and formatting characters spelt out.</summary>
    public static string Of(string text)
    {
        if (text.All(IsHarmless)) return text;

        var result = new StringBuilder(text.Length + 16);
        var pending = false;
        foreach (var c in text)
        {
            if (c is '\n' or '\r' or '\t')
            {
                pending = result.Length > 0;
                continue;
            }

            if (pending && c != ' ') result.Append(' ');
            pending = false;
            if (IsHarmless(c)) result.Append(c);
            else result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return result.ToString();
    }

    static bool IsHarmless(char c) => !char.IsControl(c) && char.GetUnicodeCategory(c) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
