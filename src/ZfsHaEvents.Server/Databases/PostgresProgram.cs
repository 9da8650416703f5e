using System.ComponentModel;
using System.Diagnostics;

namespace ZfsHaEvents.Server.Databases;

/// <summary>A backup or restore cannot be made; the message says why and what to do.</summary>
public sealed class DatabaseCommandException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One of PostgreSQL's client programs, running. It is killed when this is disposed of before it has ended.</summary>
sealed class PostgresProgram : IAsyncDisposable
{
    /// <summary>Of what it said on standard error, the beginning: the first error is the one that counts.</summary>
    const int ErrorLengthMax = 4000;

    readonly string _name;
    readonly Process _process;
    readonly Task<string> _error;

    PostgresProgram(string name, Process process)
    {
        (_name, _process) = (name, process);
        _error = process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <param name="connectionString">Whither it connects; null if nowhere.</param>
    /// <exception cref="DatabaseCommandException">It is not installed, or cannot be started.</exception>
    public static PostgresProgram Start(string name, IReadOnlyList<string> arguments, string? connectionString)
    {
        var start = new ProcessStartInfo(Path.Combine(PostgresPrograms.Find(name), name), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        start.Environment["TZ"] = "UTC"; // For the times that it prints.
        if (connectionString is not null) LibpqEnvironment.Apply(connectionString, start.Environment);
        try
        {
            return new(name, Process.Start(start) ?? throw new DatabaseCommandException($"{name} could not be started"));
        }
        catch (Win32Exception e)
        {
            throw new DatabaseCommandException($"{start.FileName} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="DatabaseCommandException">It is not installed or failed.</exception>
    public static async Task<string> RunAsync(string name, IReadOnlyList<string> arguments, string? connectionString, CancellationToken cancellation)
    {
        await using var program = Start(name, arguments, connectionString);
        program._process.StandardInput.Close();
        var output = await program._process.StandardOutput.ReadToEndAsync(cancellation);
        await program.EndedAsync(cancellation);
        return output;
    }

    /// <summary>Waits for its end.</summary>
    /// <exception cref="DatabaseCommandException">It failed; the message has its own words.</exception>
    public async Task EndedAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        if (_process.ExitCode == 0) return;
        var error = (await _error.WaitAsync(cancellation)).Trim();
        var advice = error.Contains("version mismatch", StringComparison.Ordinal) ? $"; install PostgreSQL's programs of the server's version, or name their directory in {PostgresPrograms.Variable}" : "";
        throw new DatabaseCommandException($"{_name} exited with {_process.ExitCode}: {(error.Length > ErrorLengthMax ? error[..ErrorLengthMax] : error)}{advice}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _error;
        _process.Dispose();
    }
}
