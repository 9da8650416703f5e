namespace ZfsHaEvents.Cli;

/// <summary>Who types.</summary>
static class User
{
    /// <summary>The Unix user; behind sudo(8) the one who called it, for "root did it" helps nobody afterwards.</summary>
    public static string Name() =>
        Environment.UserName is var name && name == "root" && Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } caller ? caller : name;

    /// <summary>The user and the machine, which need not be a storage host.</summary>
    public static string NameAtThisMachine() => $"{Name()}@{Environment.MachineName.Split('.')[0]}";
}
