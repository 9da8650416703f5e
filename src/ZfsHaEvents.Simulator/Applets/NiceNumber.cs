using System.Globalization;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>Numbers as people read them (zfs_nicenum): at most five characters.</summary>
static class NiceNumber
{
    const int WidthMax = 5;

    static readonly string[] Units = ["", "K", "M", "G", "T", "P", "E"];

    public static string Format(ulong number)
    {
        var index = 0;
        var whole = number;
        ulong unit = 1;
        for (; whole >= 1024 && index < Units.Length - 1; whole /= 1024)
        {
            index++;
            unit *= 1024;
        }
        if (index == 0 || number % unit == 0) return whole.ToString(CultureInfo.InvariantCulture) + Units[index];

        // The precision that still fits is easier tried than calculated: 10239 is 10.0K, not 9.99K.
        var text = "";
        for (var digits = 2; digits >= 0; digits--)
        {
            text = ((double)number / unit).ToString($"F{digits}", CultureInfo.InvariantCulture) + Units[index];
            if (text.Length <= WidthMax) break;
        }
        return text;
    }
}
