using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace ZfsHaEvents.Clusters;

/// <summary>How a cluster is made.</summary>
/// <param name="Multihost">Off: no activity checks, and nobody but us keeps two hosts off one pool.</param>
/// <param name="TimeScale">0.05 makes a 35 s activity check last 1.8 s, and suspends a multihost pool whose kernel got no processor for half a second.</param>
/// <param name="ServerArguments">Further arguments of the server.</param>
/// <param name="Stoppable">Processes can be stopped at named points; off where times are measured.</param>
sealed record ClusterShape(int Pools = 1, string Multihost = "off", double TimeScale = 0.05, double ExportSeconds = 0.02, double ImportSeconds = 0.02, IReadOnlyList<string>? ServerArguments = null, bool Stoppable = true)
{
    /// <summary>Bounds on orders that leave time for a busy machine, and let a lost step halt its move in half a minute.</summary>
    public static readonly IReadOnlyList<string> QuickBounds = ["--start-seconds", "8", "--export-seconds", "8", "--import-seconds", "15", "--labels-seconds", "8", "--grace-seconds", "3"];
}

/// <summary>
/// Three fake hosts with an agent each, fake shared disks with pools on them, one server with its private PostgreSQL: all real
/// processes. Everything it starts it stops, by pid.
/// </summary>
sealed partial class FakeCluster : IAsyncDisposable
{
    public static readonly string[] Hosts = ["a", "b", "c"];

    static int _numbers;

    readonly Dictionary<string, Running> _kernels = [];
    readonly Dictionary<string, Running> _agents = [];

    /// <summary>Every agent there ever was.</summary>
    readonly ConcurrentBag<(string Host, Running Agent)> _lives = [];
    readonly ClusterShape _shape;
    readonly int _port;
    Running? _server;
    IReadOnlyList<string> _database;
    string? _pgCtl;

    /// <summary>Nothing was done since the last verdict, which was good: the logs may go.</summary>
    bool _sound;

    FakeCluster(string directory, ClusterShape shape)
    {
        (Directory, _shape, _database) = (directory, shape, ["--data", Path.Combine(directory, "pg")]);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Http = new() { BaseAddress = new($"http://127.0.0.1:{_port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public string Directory { get; }

    public HttpClient Http { get; }

    public string World => Path.Combine(Directory, "world");

    /// <summary>The pools' names and GUIDs.</summary>
    public Dictionary<string, string> Pools { get; } = [];

    public Running Server => _server!;

    public Running Agent(string host) => _agents[host];

    public Running Kernel(string host) => _kernels[host];

    public static async Task<FakeCluster> StartAsync(ClusterShape shape)
    {
        var directory = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-e2e-{Environment.ProcessId}-{Interlocked.Increment(ref _numbers)}"));
        System.IO.Directory.CreateDirectory(directory);
        var cluster = new FakeCluster(directory, shape);
        try
        {
            await cluster.StartAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    async Task StartAsync()
    {
        string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
        Simulate("world", World, "--hosts", string.Join(',', Hosts), "--disks", Number(2 * _shape.Pools + 4), "--time-scale", Number(_shape.TimeScale),
            "--export-seconds", Number(_shape.ExportSeconds), "--import-seconds", Number(_shape.ImportSeconds));
        StartServer(); // Its PostgreSQL takes longest to be made.
        await Task.WhenAll(Hosts.Select(BootAsync));
        for (var i = 0; i < _shape.Pools; i++)
        {
            var name = $"tank{i + 1}";
            Zpool("a", "create", "-o", "cachefile=none", "-o", $"multihost={_shape.Multihost}", "-O", "canmount=off", name, "mirror", $"/dev/disk/by-id/virtio-d{2 * i}", $"/dev/disk/by-id/virtio-d{2 * i + 1}").ShouldBe("");
            Pools[name] = Zpool("a", "get", "-H", "-o", "value", "guid", name).Trim();
        }

        await ServerReadyAsync();
        foreach (var host in Hosts) StartAgent(host);
        await EventuallyAsync("every host is in session and every pool known", async () =>
            (await HostsAsync()).Count(h => h.Alive) == Hosts.Length && (await GetAsync("/pools")).AsArray().Count == _shape.Pools, TimeSpan.FromSeconds(30));
    }

    // ---- hosts -------------------------------------------------------------------------------------------------------

    public string HostDirectory(string host) => Path.Combine(World, "hosts", host);

    /// <summary>What the host's agent would have below /var/lib.</summary>
    public string StateDirectory(string host) => Path.Combine(Directory, "agents", host, "state");

    /// <summary>What it would have below /run.</summary>
    public string RunDirectory(string host) => Path.Combine(Directory, "agents", host, "run");

    /// <summary>Runs one of the simulator's own commands.</summary>
    public static string Simulate(params IReadOnlyList<string> arguments)
    {
        var (code, output) = Running.Run(Built.Simulator, arguments);
        code.ShouldBe(0, $"{string.Join(' ', arguments)}: {output}");
        return output;
    }

    /// <summary>Runs <c>zpool</c> on a fake host, behind the product's back.</summary>
    /// <returns>What it printed, on standard output and standard error together.</returns>
    public string Zpool(string host, params IReadOnlyList<string> arguments) => Running.Run(Path.Combine(HostDirectory(host), "sbin", "zpool"), arguments).Output;

    public async Task BootAsync(string host)
    {
        _kernels.GetValueOrDefault(host)?.Dispose();
        var log = Path.Combine(Directory, $"kernel-{host}.log");
        File.Delete(log);
        _kernels[host] = Running.Start(Built.Simulator, ["kernel", HostDirectory(host)], log);
        await EventuallyAsync($"the kernel of {host} is ready", () => Task.FromResult(File.Exists(log) && File.ReadAllText(log).Contains("ready", StringComparison.Ordinal)), TimeSpan.FromSeconds(10));
    }

    /// <summary>Power loss: kernel and agent are gone, and with them what was below /run.</summary>
    public void Crash(string host)
    {
        KillAgent(host);
        Simulate("crash", HostDirectory(host));
        EmptyRunDirectory(host);
    }

    public void EmptyRunDirectory(string host)
    {
        if (!System.IO.Directory.Exists(RunDirectory(host))) return; // No agent has lived long enough to make it.
        foreach (var file in System.IO.Directory.GetFiles(RunDirectory(host), "*", SearchOption.AllDirectories)) File.Delete(file);
    }

    /// <summary>A clean stop, as systemd's.</summary>
    public void StopAgent(string host)
    {
        _sound = false;
        _agents[host].Stop();
    }

    public void KillAgent(string host)
    {
        _sound = false;
        _agents[host].KillHard();
    }

    public void StartAgent(string host)
    {
        _agents.GetValueOrDefault(host)?.Dispose();
        _lives.Add((host, _agents[host] = Running.Start(Built.Agent, [], Path.Combine(Directory, $"agent-{host}.log"), WithStopAt($"agent-{host}", new(OnHost(host))
        {
            ["ZFSHA_DATABASE"] = $"Host={Path.Combine(Directory, "pg", "socket")};Username=zfsha;Database=zfsha",
        }))));
    }

    /// <summary>The variables that describe the host to whatever runs on it.</summary>
    Dictionary<string, string> OnHost(string host) => new()
    {
        ["ZFSHA_HOST"] = host,
        ["ZFSHA_HOST_ROOT"] = HostDirectory(host),
        ["ZFSHA_SBIN"] = Path.Combine(HostDirectory(host), "sbin"),
        ["ZFSHA_STATE_DIR"] = StateDirectory(host),
        ["ZFSHA_RUN_DIR"] = RunDirectory(host),
    };

    // ---- server ------------------------------------------------------------------------------------------------------

    public void StartServer()
    {
        _server?.Dispose();
        _server = Running.Start(
            Built.Server, [.. _database, "--urls", Http.BaseAddress!.ToString().TrimEnd('/'), .. _shape.ServerArguments ?? ClusterShape.QuickBounds],
            Path.Combine(Directory, "server.log"), WithStopAt("server", []));
    }

    public Task ServerReadyAsync() => EventuallyAsync("the server answers", async () =>
    {
        try
        {
            return (await Http.GetAsync(new Uri("/health", UriKind.Relative))).IsSuccessStatusCode;
        }
        catch (Exception e) when (NoServer(e))
        {
            return false;
        }
    }, TimeSpan.FromSeconds(30));

    // ---- stopping a process exactly at a point -----------------------------------------------------------------------

    /// <summary>Has the process (<c>server</c>, <c>agent-a</c> …) stop itself when it reaches the point for the n-th time from now on.</summary>
    public void StopAt(string process, string point, int n) => File.WriteAllText(StopFile(process), string.Create(CultureInfo.InvariantCulture, $"{point} {n} {Interlocked.Increment(ref _numbers)}")); // The last number only makes it new.

    public bool IsArmed(string process) => File.Exists(StopFile(process));

    public void Disarm(string process) => File.Delete(StopFile(process));

    string StopFile(string process) => Path.Combine(Directory, $"{process}.stop-at");

    Dictionary<string, string> WithStopAt(string process, Dictionary<string, string> variables)
    {
        if (!_shape.Stoppable) return variables;
        variables["DOTNET_STARTUP_HOOKS"] = Built.StopAt;
        variables["ZFSHA_STOP_AT"] = StopFile(process);
        return variables;
    }

    // ---- asking and looking ------------------------------------------------------------------------------------------

    /// <summary>There is no server, or it died in mid-answer, or its database does not answer.</summary>
    static bool NoServer(Exception e) => e is HttpRequestException or IOException or TaskCanceledException;

    public async Task<JsonNode> GetAsync(string path) => (await Http.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative)))!;

    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, object body)
    {
        _sound = false;
        var response = await Http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>())!);
    }

    /// <summary>Asks for a switchover, which must be taken in.</summary>
    public async Task SwitchoverAsync(string pool, string to, string id)
    {
        var (status, body) = await PostAsync($"/pools/{pool}/switchovers", new { id, to, by = "test" });
        status.ShouldBe(HttpStatusCode.Accepted, body.ToString());
    }

    /// <summary>What the server answers; null while it does not.</summary>
    public async Task<JsonNode?> TryGetAsync(string path)
    {
        try
        {
            return await GetAsync(path);
        }
        catch (Exception e) when (NoServer(e))
        {
            return null;
        }
    }

    public async Task SetPolicyAsync(string pool, bool automatic, string fencing, params string[] targets) =>
        (await Http.PutAsJsonAsync(new Uri($"/pools/{pool}/policy", UriKind.Relative), new { automatic, fencing, targets, by = "test" })).EnsureSuccessStatusCode();

    public async Task<JsonNode> MoveEndedAsync(string id, TimeSpan limit)
    {
        JsonNode? move = null;
        await EventuallyAsync($"move {id} has ended", async () =>
        {
            move = await MoveAsync(id);
            return move is not null && (string)move["state"]! != "Running";
        }, limit, () => $"{move}");
        return move!;
    }

    /// <summary>The move's dossier; null while there is none, or the server does not answer.</summary>
    public async Task<JsonNode?> MoveAsync(string id)
    {
        try
        {
            var response = await Http.GetAsync(new Uri($"/moves/{id}", UriKind.Relative));
            return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<JsonNode>() : null;
        }
        catch (Exception e) when (NoServer(e))
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<HistoryLine>> HistoryAsync(string pool) =>
        (await Http.GetFromJsonAsync<List<HistoryLine>>(new Uri($"/pools/{pool}/history?limit=10000", UriKind.Relative), JsonSerializerOptions.Web))!;

    public async Task<IReadOnlyList<JsonNode>> AlertsAsync(string kind) => [.. (await GetAsync("/alerts")).AsArray().Where(a => (string)a!["kind"]! == kind).Select(a => a!)];

    /// <summary>The host's present session, alive or not.</summary>
    public async Task<string> SessionAsync(string host) =>
        (await GetAsync("/hosts")).AsArray().Select(h => h!["host"]!).Where(h => (string)h["name"]! == host).Select(h => (string)h["session"]!).Single();

    /// <summary>The hosts; none while no server answers.</summary>
    public async Task<IReadOnlyList<(string Name, string Status, bool Alive)>> HostsAsync() =>
        [.. (await TryGetAsync("/hosts"))?.AsArray().Select(h => ((string)h!["host"]!["name"]!, (string)h["host"]!["status"]!, (bool)h["alive"]!)) ?? []];

    /// <summary>Puts a message on the bus as a foreign program would: the body, and nothing else.</summary>
    public Task PutAsync(string json)
    {
        _sound = false;
        return ExecuteAsync("insert into zfsha.messages (body) values ($1::jsonb)", json);
    }

    public Truth Truth() => Clusters.Truth.Read(World);

    /// <summary>Waits until the spools and the server's queue are empty, so that the stream has all there is to tell.</summary>
    public Task QuietAsync() => EventuallyAsync("everything has been told and taken in", async () =>
        Hosts.Select(h => Path.Combine(StateDirectory(h), "spool")).All(s => !System.IO.Directory.Exists(s) || System.IO.Directory.GetFiles(s, "*.json").Length == 0)
        && await QueryAsync<long>("select count(*) from zfsha.messages where queue = 'server' and (attempts > 0 or due_at <= now())") == 0, TimeSpan.FromSeconds(20));

    /// <summary>The verdict of the disks: no pool was ever held by two hosts, and stream and truth tell the same.</summary>
    public async Task ShouldBeSoundAsync()
    {
        await ShouldTellTheTruthAsync();
        Truth().Conflicts().ShouldBeEmpty($"logs in {Directory}");
        Simulate("truth", World); // The simulator's own judge, which exits 1 when a pool was held twice.
    }

    /// <summary>Stream and truth tell the same.</summary>
    public async Task ShouldTellTheTruthAsync()
    {
        await Task.Delay(300); // The watchers' beat and a little more.
        await QuietAsync();
        var (truth, now) = (Truth(), DateTimeOffset.UtcNow);
        var lives = _lives.Select(l => new Life(l.Host, l.Agent.StartedAt, l.Agent.EndedAt)).ToList();
        foreach (var (name, guid) in Pools) Audit.Differences(truth, lives, guid, await HistoryAsync(name), now).ShouldBeEmpty($"pool {name}, logs in {Directory}");
        _sound = true;
    }

    public static async Task EventuallyAsync(string what, Func<Task<bool>> condition, TimeSpan limit, Func<string>? last = null)
    {
        for (var until = DateTimeOffset.UtcNow + limit; ; await Task.Delay(25))
        {
            if (await condition()) return;
            if (DateTimeOffset.UtcNow > until) throw new TimeoutException($"Not within {limit.TotalSeconds} s: {what}. {last?.Invoke()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values) agent.Dispose();
        if (_server is { IsAlive: true })
        {
            if (_server.IsStopped()) _server.Signal(Running.SigCont);
            _server.Signal(Running.SigTerm);
            for (var i = 0; i < 200 && _server.IsAlive; i++) await Task.Delay(50);
        }

        _server?.Dispose();
        if (PostgresPidOrNull() is { } postgres) await EndAsync(postgres); // The server that should have stopped it was killed, or it was left alone.

        foreach (var kernel in _kernels.Values) kernel.Dispose();
        Http.Dispose();
        if (Environment.GetEnvironmentVariable("ZFSHA_KEEP") is null && _sound) System.IO.Directory.Delete(Directory, recursive: true);
    }

    static async Task EndAsync(int pid)
    {
        try
        {
            Running.Signal(pid, Running.SigQuit);
            for (var i = 0; i < 200 && System.IO.Directory.Exists($"/proc/{pid}"); i++) await Task.Delay(50);
        }
        catch (ShouldAssertException)
        {
            // It has ended by itself.
        }
    }
}
