namespace ZfsHaEvents.Simulator.World;

/// <summary>A way in which a host's ZFS can misbehave, switched per host (<c>zfs-simulator fault</c>).</summary>
/// <param name="Name">Its name on the command line and in the host's folder.</param>
sealed record Fault(string Name)
{
    static readonly string[] Commands = ["import", "export", "list", "get", "status", "zdb"];

    /// <summary>There is no <c>zpool</c> to start.</summary>
    public static Fault Missing { get; } = new("missing");

    /// <summary>Pool states in /proc read wrong for moments.</summary>
    public static Fault Flicker { get; } = new("flicker");

    /// <summary>The command does nothing for ever; a signal ends it.</summary>
    public static Fault Hang(string command) => new($"hang-{command}");

    /// <summary>The command does nothing for ever and ignores every signal but SIGKILL, as in state D.</summary>
    public static Fault Stuck(string command) => new($"stuck-{command}");

    /// <summary>The command exits 0 and has done nothing.</summary>
    public static Fault DoesNothing(string command) => new($"{command}-does-nothing");

    /// <summary>The command has done its work and exits 1.</summary>
    public static Fault FailsAfter(string command) => new($"{command}-fails-after");

    /// <summary>The command has done its work and does not come back.</summary>
    public static Fault HangsAfter(string command) => new($"{command}-hangs-after");

    public static IReadOnlyList<Fault> All { get; } =
    [
        Missing,
        Flicker,
        .. Commands.Select(Hang),
        .. Commands.Select(Stuck),
        DoesNothing("import"), DoesNothing("export"),
        FailsAfter("import"), FailsAfter("export"),
        HangsAfter("import"), HangsAfter("export"),
    ];

    public bool IsOn(HostDirectory host) => File.Exists(Path.Combine(host.Faults, Name));

    public void Switch(HostDirectory host, bool on)
    {
        var file = Path.Combine(host.Faults, Name);
        if (on) File.WriteAllText(file, "");
        else File.Delete(file);
        if (this == Missing) SwitchMissing(host, on);
    }

    /// <summary>A program that is missing cannot say so itself: its file goes away.</summary>
    static void SwitchMissing(HostDirectory host, bool on)
    {
        var there = Path.Combine(host.Sbin, "zpool");
        var away = Path.Combine(host.Sbin, "zpool.missing");
        if (on && File.Exists(there)) File.Move(there, away);
        if (!on && File.Exists(away)) File.Move(away, there);
    }
}
