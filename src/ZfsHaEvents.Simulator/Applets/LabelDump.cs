using System.Globalization;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>What <c>zdb -l</c> prints of a device's four labels (dump_label).</summary>
/// <param name="terminal">Where to.</param>
/// <param name="labels">How often <c>l</c> was given: from three on, equal labels are printed again.</param>
/// <param name="uberblocks">How often <c>u</c> was given: from two on, empty slots too; from three on, equal ones again; from four on, the
/// multihost slots too.</param>
/// <param name="quiet">No labels.</param>
sealed class LabelDump(Terminal terminal, int labels, int uberblocks, bool quiet)
{
    const string Rule = "------------------------------------";
    const string AllLabels = "0 1 2 3 ";

    /// <summary>The slot after those of the transaction groups.</summary>
    const int MmpSlot = FakeDisk.TxgSlots;

    int _headerPrinted = -1;

    /// <summary>Prints it; false when there is no label.</summary>
    public bool Print(FakeDisk disk)
    {
        var config = disk.ReadLabel();
        var ring = disk.ReadRing();
        var mmp = disk.ReadMmp();
        for (var label = 0; label < FakeDisk.Labels; label++)
        {
            if (config is null)
            {
                if (!quiet) terminal.WriteLine($"failed to unpack label {label}");
            }
            else if (!quiet && (label == 0 || labels >= 3))
            {
                PrintHeader(label);
                PrintList(config, indent: 4);
                terminal.WriteLine($"    labels = {AllLabels}");
            }
            if (uberblocks > 0) PrintUberblocks(label, ring, mmp);
        }
        return config is not null;
    }

    void PrintUberblocks(int label, Uberblock?[] ring, Uberblock?[] mmp)
    {
        for (var slot = 0; slot < FakeDisk.RingSlots; slot++)
        {
            if ((slot == MmpSlot ? mmp[label] : ring[slot]) is not { } uberblock)
            {
                if (uberblocks < 2) continue;
                PrintHeader(label);
                terminal.WriteLine($"    Uberblock[{slot}] invalid");
                continue;
            }
            // Equal blocks are one to zdb: a claim leaves a copy of the newest uberblock in the multihost slot.
            var (first, where) = slot == MmpSlot && !ring.Contains(uberblock) ? Copies(mmp, uberblock) : (0, AllLabels);
            if (uberblocks < 3 && first != label) continue;
            if (uberblocks < 4 && slot == MmpSlot && uberblock.MmpActive) continue;

            PrintHeader(label);
            terminal.WriteLine($"    Uberblock[{slot}]");
            PrintUberblock(uberblock);
            terminal.WriteLine($"        labels = {where}");
        }
    }

    static (int First, string Where) Copies(Uberblock?[] mmp, Uberblock uberblock)
    {
        var same = Enumerable.Range(0, mmp.Length).Where(label => mmp[label] == uberblock).ToList();
        return (same[0], string.Concat(same.Select(label => $"{label} ")));
    }

    void PrintUberblock(Uberblock uberblock)
    {
        terminal.WriteLine($"\tmagic = {Uberblock.Magic:x16}");
        terminal.WriteLine($"\tversion = {VdevLabel.Version}");
        terminal.WriteLine($"\ttxg = {uberblock.Txg}");
        terminal.WriteLine($"\tguid_sum = {uberblock.GuidSum}");
        terminal.WriteLine($"\ttimestamp = {uberblock.Timestamp} UTC = {ImportRefusals.Time(uberblock.Timestamp)}");
        terminal.WriteLine($"\tbp = {BlockPointer(uberblock.Birth)}");
        terminal.WriteLine($"\tmmp_magic = {Uberblock.MmpMagic:x16}");
        terminal.WriteLine($"\tmmp_delay = {uberblock.MmpDelay}");
        if (uberblock.Mmp is { } mmp)
        {
            terminal.WriteLine($"\tmmp_seq = {mmp.Sequence}");
            terminal.WriteLine($"\tmmp_fail = {mmp.FailIntervals}");
            terminal.WriteLine($"\tmmp_write = {mmp.IntervalMilliseconds}");
        }
        terminal.WriteLine($"\tmmp_valid = {(uberblock.Mmp is null ? 0 : MmpConfig.AllValid):x}");
        if (uberblocks >= 4) terminal.WriteLine($"\trootbp = {BlockPointer(uberblock.Birth)}");
        terminal.WriteLine("\tcheckpoint_txg = 0");
        terminal.WriteLine("\traidz_reflow state=0 off=0");
    }

    /// <summary>A block pointer in the real layout. Only its birth means anything; the rest is made from it, so that it changes with it.</summary>
    static string BlockPointer(ulong birth)
    {
        var offset = 0x7000 + birth % 0x400 * 0x200;
        var sum = unchecked(birth * 0x9E3779B97F4A7C15);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"DVA[0]=<0:{offset:x}:200> DVA[1]=<0:{offset + 0x1000000:x}:200> DVA[2]=<0:{offset + 0x2000000:x}:200> " +
            $"[L0 DMU objset] fletcher4 lz4 unencrypted LE contiguous unique triple size=1000L/200P birth={birth}L/{birth}P fill=46 " +
            $"cksum={sum >> 28:x16}:{sum >> 20:x16}:{sum >> 16:x16}:{sum >> 12:x16}");
    }

    void PrintHeader(int label)
    {
        if (quiet || _headerPrinted == label) return;

        _headerPrinted = label;
        terminal.WriteLine(Rule);
        terminal.WriteLine($"LABEL {label} ");
        terminal.WriteLine(Rule);
    }

    /// <summary>As dump_nvlist indents it; features are flags without a value.</summary>
    void PrintList(NvList list, int indent, bool flags = false)
    {
        var margin = new string(' ', indent);
        foreach (var (name, value) in list)
        {
            switch (value)
            {
                case string text:
                    terminal.WriteLine($"{margin}{name}: '{text}'");
                    break;
                case NvList inner:
                    terminal.WriteLine($"{margin}{name}:");
                    PrintList(inner, indent + 4, flags: name == "features_for_read");
                    break;
                case IReadOnlyList<NvList> array:
                    for (var at = 0; at < array.Count; at++)
                    {
                        terminal.WriteLine($"{margin}{name}[{at}]:");
                        PrintList(array[at], indent + 4);
                    }
                    break;
                default:
                    terminal.WriteLine(flags ? $"{margin}{name}" : $"{margin}{name}: {value}");
                    break;
            }
        }
    }
}
