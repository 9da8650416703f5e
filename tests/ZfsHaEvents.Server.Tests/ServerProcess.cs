using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Npgsql;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>The real server as a process of its own, with a private PostgreSQL in a directory of its own.</summary>
sealed class ServerProcess : IAsyncDisposable
{
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(3);
    static int _numbers;

    readonly List<string> _output = [];
    Process? _process;

    public ServerProcess()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Http = new() { BaseAddress = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"), Timeout = TimeSpan.FromMinutes(2) };
        Data = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-server-{Environment.ProcessId}-{Interlocked.Increment(ref _numbers)}"));
    }

    public HttpClient Http { get; }

    /// <summary>What is given as <c>--data</c>: a directory of its own, or another server's.</summary>
    public string Data { get; init; }

    public string Output
    {
        get
        {
            lock (_output) return string.Join('\n', _output);
        }
    }

    public double LeaseSeconds { get; init; } = 3600;

    /// <summary>More of its command line.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Of a PostgreSQL of somebody else's, instead of a private one in <see cref="Data"/>.</summary>
    public string? Connection { get; init; }

    public bool HasEnded => _process!.HasExited;

    /// <summary>Starts it, without waiting.</summary>
    public void Launch(params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(Program(), [.. Connection is null ? (string[])["--data", Data] : ["--connection", Connection], "--urls", Http.BaseAddress!.ToString().TrimEnd('/'), "--lease-seconds", LeaseSeconds.ToString(CultureInfo.InvariantCulture), .. Options]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("ZFSHA_DATABASE");
        foreach (var (name, value) in variables) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public async Task StartAsync()
    {
        Launch();
        await Eventually.TrueAsync("the server answers", async () =>
        {
            if (_process!.HasExited) throw new InvalidOperationException($"the server ended: {Output}");
            return await AnswersAsync();
        });
    }

    async Task<bool> AnswersAsync()
    {
        try
        {
            return (await Http.GetAsync(new Uri("/health", UriKind.Relative))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // Not listening yet.
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndedAsync()
    {
        using var limit = new CancellationTokenSource(StopLimit);
        await _process!.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        return await EndedAsync();
    }

    /// <summary>SIGSTOP: it lives and does nothing.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{signal} {_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await EndedAsync();
    }

    /// <summary>Puts a message on the bus as a foreign program would, and waits until it was taken off again.</summary>
    public async Task TellAsync(params BusMessage[] messages)
    {
        foreach (var message in messages) await PutAsync(message.Write(DateTimeOffset.UtcNow));
        await TakenAsync();
    }

    public Task PutAsync(string body) => ExecuteAsync("insert into zfsha.messages (body) values ($1::jsonb)", body);

    public Task TakenAsync() => Eventually.TrueAsync("the server has taken everything in", async () =>
        (long)(await ExecuteAsync("select count(*) from zfsha.messages where queue = 'server' and (attempts > 0 or due_at <= clock_timestamp())"))! == 0);

    /// <summary>Of its private PostgreSQL.</summary>
    public string ConnectionString => $"Host={Path.Combine(Data, "socket")};Username=zfsha;Database=zfsha;Pooling=false";

    public async Task<object?> ExecuteAsync(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return await command.ExecuteScalarAsync();
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> GetAsync(string path) => await AnswerAsync(await Http.GetAsync(new Uri(path, UriKind.Relative)));

    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, object body) => await AnswerAsync(await Http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body));

    public static async Task<(HttpStatusCode Status, JsonNode Body)> AnswerAsync(HttpResponseMessage response)
    {
        using (response) return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>())!);
    }

    void Keep(object sender, DataReceivedEventArgs e)
    {
        lock (_output)
            if (e.Data is { } line) _output.Add(line);
    }

    /// <summary>Runs one command of the program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> CommandAsync(params string[] arguments)
    {
        using var process = StartCommand(arguments);
        using var limit = new CancellationTokenSource(CommandLimit);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Starts one command of the program.</summary>
    /// <param name="binaries">Where it finds PostgreSQL's programs; null for where they are installed.</param>
    public static Process StartCommand(string[] arguments, string? binaries = null)
    {
        var start = new ProcessStartInfo(Program(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("ZFSHA_DATABASE");
        if (binaries is not null) start.Environment["ZFSHA_POSTGRES_BIN"] = binaries;
        return Process.Start(start)!;
    }

    static string Program()
    {
        // …/tests/ZfsHaEvents.Server.Tests/bin/Debug/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!;
        return Path.Combine(root.FullName, "src/ZfsHaEvents.Server/bin", output.Parent.Name, output.Name, "zfsha-server");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await ThawAsync(); // A frozen one would not notice that it is to stop.
            await StopAsync();
        }

        _process?.Dispose();
        Http.Dispose();
        if (Directory.Exists(Data)) Directory.Delete(Data, recursive: true);
    }
}
