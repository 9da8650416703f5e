namespace ZfsHaEvents.Simulator.World;

/// <summary>A world on disk: fake shared disks, fake hosts, and the log that knows the truth.</summary>
/// <param name="Path">Its folder, absolute.</param>
sealed record WorldDirectory(string Path)
{
    public string Disks => System.IO.Path.Combine(Path, "disks");

    public string Hosts => System.IO.Path.Combine(Path, "hosts");

    public string TruthLog => System.IO.Path.Combine(Path, "truth.log");

    public string SettingsFile => System.IO.Path.Combine(Path, "world.json");

    public HostDirectory Host(string name) => new(System.IO.Path.Combine(Hosts, name));
}
