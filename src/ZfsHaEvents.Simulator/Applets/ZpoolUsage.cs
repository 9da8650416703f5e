using System.Text;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>The usage texts of OpenZFS 2.3.9's zpool(8), for the commands that are simulated.</summary>
static class ZpoolUsage
{
    /// <summary>The text of each command; an empty name is an empty line of the overview.</summary>
    static readonly (string Command, string Text)[] Texts =
    [
        ("version", "\tversion [-j]\n"),
        ("", "\n"),
        ("create", "\tcreate [-fnd] [-o property=value] ... \n\t    [-O file-system-property=value] ... \n\t    [-m mountpoint] [-R root] <pool> <vdev> ...\n"),
        ("", "\n"),
        ("list", "\tlist [-gHLpPv] [-o property[,...]] [-j [--json-int, --json-pool-key-guid]] ...\n\t    [-T d|u] [pool] [interval [count]]\n"),
        ("status", "\tstatus [-DdegiLPpstvx] [-c script1[,script2,...]] ...\n\t    [-j|--json [--json-flat-vdevs] [--json-int] [--json-pool-key-guid]] ...\n\t    [-T d|u] [--power] [pool] [interval [count]]\n"),
        ("", "\n"),
        ("clear", "\tclear [[--power]|[-nF]] <pool> [device]\n"),
        ("", "\n"),
        ("import", """
            	import [-d dir] [-D]
            	import [-o mntopts] [-o property=value] ... 
            	    [-d dir | -c cachefile] [-D] [-l] [-f] [-m] [-N] [-R root] [-F [-n]] -a
            	import [-o mntopts] [-o property=value] ... 
            	    [-d dir | -c cachefile] [-D] [-l] [-f] [-m] [-N] [-R root] [-F [-n]]
            	    [--rewind-to-checkpoint] <pool | id> [newpool]

            """),
        ("export", "\texport [-af] <pool> ...\n"),
        ("", "\n"),
        ("history", "\thistory [-il] [<pool>] ...\n"),
        ("events", "\tevents [-vHf [pool] | -c]\n"),
        ("", "\n"),
        ("get", "\tget [-Hp] [-j [--json-int, --json-pool-key-guid]] ...\n\t    [-o \"all\" | field[,...]] <\"all\" | property[,...]> <pool> ...\n"),
        ("set", "\tset <property=value> <pool>\n\tset <vdev_property=value> <pool> <vdev>\n"),
        ("sync", "\tsync [pool] ...\n"),
    ];

    /// <summary>What follows an error in how a command was called.</summary>
    public static string Of(string command)
    {
        var text = "usage:\n" + Texts.First(entry => entry.Command == command).Text;
        return command is "list" or "get" or "set" ? text + Properties() : text;
    }

    /// <summary>What follows a missing or unknown command.</summary>
    public static string Overview() =>
        "usage: zpool command args ...\nwhere 'command' is one of the following:\n\n" +
        string.Concat(Texts.Select(entry => entry.Text)) +
        "\nFor further help on a command or topic, run: zpool help [<topic>]\n";

    static string Properties()
    {
        var text = new StringBuilder("\nthe following properties are supported:\n");
        text.Append($"\n\t{"PROPERTY",-19}  EDIT   VALUES\n\n");
        // What cannot be set comes first, each part by name.
        foreach (var property in PoolProperty.All.OrderBy(property => property.Editable).ThenBy(property => property.Name, StringComparer.Ordinal))
            text.Append($"\t{property.Name,-19}  {(property.Editable ? " YES   " : "  NO   ")}{property.Values}\n");
        text.Append($"\t{"feature@...",-19}   YES   disabled | enabled | active\n");
        text.Append("\nThe feature@ properties must be appended with a feature name.\nSee zpool-features(7).\n");
        return text.ToString();
    }
}
