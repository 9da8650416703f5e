using System.CommandLine.Invocation;
using ZfsHaEvents.Server.CommandLine;

var parsed = ServeCommand.Root().Parse(args);
// Stopping includes stopping the private PostgreSQL, which takes as long as its last checkpoint; the default is to be cut short after two seconds.
var exitCode = await parsed.InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });
return parsed.Action is ParseErrorAction ? ExitCodes.Usage : exitCode;
