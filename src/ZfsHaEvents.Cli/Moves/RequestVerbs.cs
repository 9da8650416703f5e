using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Moves;

/// <summary>Tells what came of a request that is done at once.</summary>
static class RequestAnswer
{
    public static int Write(Invocation invocation, Answer answer)
    {
        if (invocation.Screen.Json) invocation.Screen.Document(new(answer.Id, [.. answer.Events.Select(HistoryVerb.DocumentOf)]), ApiJson.Relaxed.RequestDocument);
        else new HistoryText(invocation.Screen).Write(answer.Events);
        return ExitCodes.Done;
    }
}

/// <summary><c>confirm-fencing</c>: vouch that a host cannot write to a pool's disks.</summary>
static class ConfirmFencingVerb
{
    public static Command Define()
    {
        var (pool, host) = (Parsers.Pool(), Parsers.HostArgument("The host that cannot write any more"));
        var statement = Parsers.RequiredText("--statement", "TEXT", "How that was made sure of: power cut at the PDU, cable pulled, ticket number");
        var (id, by) = (Parsers.Id(), Parsers.By());
        return Verb.Of("confirm-fencing", "Vouch that a host cannot write to a pool's disks", [pool, host, statement, id, by], async invocation =>
        {
            var body = new FencingBody(invocation.Get(host), invocation.Get(by)!, invocation.Get(statement)!, invocation.Get(id) ?? Ids.New("fence"));
            return RequestAnswer.Write(invocation, await invocation.Server.ConfirmFencingAsync(invocation.Get(pool), body, invocation.Cancellation));
        });
    }
}

/// <summary><c>acknowledge</c>: let a halted pool take orders again.</summary>
static class AcknowledgeVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        var comment = Parsers.RequiredText("--comment", "TEXT", "What was found and done, for the audit");
        var (id, by) = (Parsers.Id(), Parsers.By());
        return Verb.Of("acknowledge", "Let a halted pool take orders again, after a person has looked at it", [pool, comment, id, by], async invocation =>
        {
            var body = new AcknowledgeBody(invocation.Get(by)!, invocation.Get(comment)!, invocation.Get(id) ?? Ids.New("ack"));
            return RequestAnswer.Write(invocation, await invocation.Server.AcknowledgeHaltAsync(invocation.Get(pool), body, invocation.Cancellation));
        });
    }
}

/// <summary><c>call-off</c>: end a move that waits for a person.</summary>
static class CallOffVerb
{
    public static Command Define()
    {
        var (move, pool) = (Parsers.MoveId(), Parsers.PoolOption(Parsers.WhosePool));
        var reason = Parsers.RequiredText("--reason", "TEXT", "Why, for the audit");
        var (id, by) = (Parsers.Id(), Parsers.By());
        return Verb.Of("call-off", "End a switchover or failover that waits for a person and has nothing under way on a host", [move, pool, reason, id, by], async invocation =>
        {
            var body = new CallOffBody(invocation.Get(by)!, invocation.Get(reason)!, invocation.Get(id) ?? Ids.New("off"));
            return RequestAnswer.Write(invocation, await invocation.Server.CallOffAsync(invocation.Get(move), invocation.Get(pool), body, invocation.Cancellation));
        });
    }
}

/// <summary><c>policy</c>: show or say how a pool is failed over.</summary>
static class PolicyVerb
{
    const string On = "on", Off = "off", Manual = "manual", MmpAlone = "mmp-alone";

    public static Command Define()
    {
        var pool = Parsers.Pool();
        var automatic = new Option<string>("--automatic") { Description = "Whether a lost lease of the holder starts a failover by itself", HelpName = "on|off" }.AcceptOnlyFromAmong(On, Off);
        var fencing = new Option<string>("--fencing") { Description = "What makes sure that a lost holder cannot write: a person's word, or multihost alone", HelpName = $"{Manual}|{MmpAlone}" };
        fencing.AcceptOnlyFromAmong(Manual, MmpAlone);
        var targets = new Option<string?>("--targets") { Description = "Where to take it over to, in order of preference; an empty text for none", HelpName = "HOST,HOST..." };
        var (id, by) = (Parsers.Id(), Parsers.By());
        return Verb.Of("policy", "Show or say how a pool is failed over; what is not given stays as it is", [pool, automatic, fencing, targets, id, by], async invocation =>
        {
            var found = await invocation.Server.PoolAsync(invocation.Get(pool), invocation.Cancellation);
            var now = found.Policy;
            if (!invocation.Has(automatic) && !invocation.Has(fencing) && !invocation.Has(targets))
            {
                if (invocation.Screen.Json) invocation.Screen.Document(now, ApiJson.Relaxed.PoolPolicy);
                else invocation.Screen.Hanging(2, [], [$"{found.Name?.Value ?? found.Pool.ToString()}: {PoolText.Policy(now)}"]);
                return ExitCodes.Done;
            }

            var body = new PolicyBody(
                invocation.Has(automatic) ? invocation.Get(automatic) == On : now.Automatic,
                invocation.Has(fencing) ? invocation.Get(fencing) == MmpAlone ? FencingMethod.MmpAlone : FencingMethod.Manual : now.Fencing,
                invocation.Has(targets) ? HostsOf(invocation.Get(targets)!) : now.Targets,
                invocation.Get(by)!, invocation.Get(id) ?? Ids.New("policy"));
            return RequestAnswer.Write(invocation, await invocation.Server.SetPolicyAsync(new(found.Pool.ToString()), body, invocation.Cancellation));
        });
    }

    static HostName[] HostsOf(string text)
    {
        try
        {
            return [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(name => HostName.Parse(name))];
        }
        catch (FormatException e) // Its message says what is expected.
        {
            throw CommandFailedException.BadUsage($"--targets: {e.Message}");
        }
    }
}
