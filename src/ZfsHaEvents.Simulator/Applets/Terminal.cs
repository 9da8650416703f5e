using System.Text;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>A command's standard output and error. Output is gathered, errors go out at once, and both keep their order.</summary>
sealed class Terminal : IDisposable
{
    readonly StringBuilder _out = new();
    readonly Stream _output = Console.OpenStandardOutput();
    readonly Stream _error = Console.OpenStandardError();

    public void Write(string text) => _out.Append(text);

    public void WriteLine(string text = "") => _out.Append(text).Append('\n');

    public void ErrorLine(string text) => Error(text + "\n");

    public void Error(string text)
    {
        Flush();
        Send(_error, text);
    }

    public void Flush()
    {
        if (_out.Length == 0) return;

        Send(_output, _out.ToString());
        _out.Clear();
    }

    public void Dispose()
    {
        Flush();
        _output.Dispose();
        _error.Dispose();
    }

    static void Send(Stream stream, string text)
    {
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // Nobody reads any more (a closed pipe): a real command goes on as well.
        }
    }
}
