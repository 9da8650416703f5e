using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Moves;

namespace ZfsHaEvents.Cli.Pools;

/// <summary>Says an event in a sentence. One of a later version, which we do not know, is shown as it is stored.</summary>
static class EventSentence
{
    public static string Of(HistoryEntry entry)
    {
        var e = new EventFields(entry.Data);
        var by = entry.Actor is { Length: > 0 } actor and not ("zfsha-agent" or "zfsha-server") ? $" by {actor}" : "";
        return entry.Type switch
        {
            "pool_discovered" => $"pool {e.Text("Name")} ({e.Text("Pool")}) was first reported",
            "pool_renamed" => $"the pool is called {e.Text("To")} now, no longer {e.Text("From")}",
            "pool_scanned" => $"labels read{by}: {e.Label()}",
            "disks_watched" => $"disks {(e.Text("Activity") == "Writing" ? "WRITTEN to" : e.Text("Activity") == "Silent" ? "silent" : "watched, which told nothing")}{by}: {e.Text("Reason")}",
            "pool_lock_acquired" => $"host lock taken{by} for {e.Text("Purpose")}{(e.Number("WaitedSeconds") >= 0.01 ? $" after {e.Duration("WaitedSeconds")}" : "")}",
            "pool_lock_released" => $"host lock released after {e.Duration("HeldSeconds")} ({e.Text("Purpose")})",
            "pool_lock_timed_out" => $"host lock for {e.Text("Purpose")} not had in {e.Duration("WaitedSeconds")}: held by {e.Text("Holder")}",
            "pool_lock_broken" => $"host lock was left behind by {e.Text("PreviousHolder")}: {e.Text("Evidence")}",
            "import_started" => $"import begins{by}: {e.Command()}{e.Because("Reason")}",
            "import_succeeded" => $"imported{by}{e.Took()}: {e.Sight()}",
            "import_refused" => $"import refused by ZFS{e.Took()}: {e.Failure()}",
            "import_failed" => $"import failed{e.Took()}: {e.Failure()}; {e.Sight()} afterwards",
            "export_started" => $"export begins{by}: {e.Command()}{e.Because("Reason")}",
            "export_succeeded" => $"exported{by}{e.Took()}",
            "export_refused" => $"export refused by ZFS{e.Took()}: {e.Failure()}",
            "export_failed" => $"export failed{e.Took()}: {e.Failure()}; {e.Sight()} afterwards",
            "pool_observed" => $"seen {e.Sight()}",
            "pool_health_changed" => $"health {e.Text("From").ToUpperInvariant()} -> {e.Text("To").ToUpperInvariant()}",
            "order_refused" when e.Text("Order") is "" => $"REFUSED import{by}: {e.Text("Detail")}",
            "order_refused" => $"order {e.Text("Order")} not carried out: {e.Text("Reason")}: {e.Text("Detail")}",
            "order_reissued" => $"order {e.Text("Previous")} issued again as {e.Text("Order")} to {e.Text("Host")}: {e.Text("Reason")}",
            "ownership_claimed" => $"{e.Text("Host")} may hold the pool from now on: epoch {e.Text("Epoch")} ({e.Words("Basis")})",
            "ownership_released" => $"the claim of {e.Text("Host")} ended (epoch {e.Text("Epoch")})",
            "ownership_unverified" => $"who holds the pool is no longer certain ({e.Words("Reason")}): {e.List("Awaited")} must report",
            "ownership_verified" => $"who holds the pool is certain again: {e.Text("Holder", "nobody")} (epoch {e.Text("Epoch")})",
            "ownership_disputed" => $"DISPUTED: {e.Text("Host")} has it imported ({e.Words("Reason")}); the claim is {e.Text("Claimant", "nobody")}'s (epoch {e.Text("Epoch")})",
            "conflict_detected" => $"CONFLICT: imported read-write on {e.List("Hosts", " and ")} at once",
            "conflict_cleared" => $"conflict over: {e.Text("Holder", "nobody")} holds the pool",
            "policy_set" => $"policy set{by}: {e.Policy()}",
            "fencing_confirmed" => $"{e.Text("By")} vouches that {e.Text("Host")} cannot write to the disks: {e.Text("Statement")}",
            "import_ruled_out" => $"the import {e.Text("Order")} on {e.Text("Host")} can have no effect any more: {e.Text("Evidence")}",
            "call_off_requested" => $"{e.Text("By")} calls off {e.Text("Move")}{e.Because("Reason")}",
            "request_refused" => $"REFUSED {e.Words("Kind")} {e.Text("Request")} of {e.Text("By")}: {e.Text("Reason")}: {e.Text("Detail")}",
            "pool_halted" => $"HALTED ({e.Words("Cause")}): {e.Text("Host")} has obeyed epoch {e.Text("Reported")}, ours is {e.Text("Ours")}",
            "halt_acknowledged" => $"halt acknowledged by {e.Text("By")}: {e.Text("Comment")} (on from epoch {e.Text("Epoch")})",
            "alert_acknowledged" => $"alert {e.Text("Alert")} acknowledged by {e.Text("By")}: {e.Text("Comment")}",
            _ => OfMove(entry.Type, e) ?? $"{entry.Type}: {entry.Data.GetRawText()}",
        };
    }

    static string? OfMove(string type, EventFields e)
    {
        var kind = type.Split('_')[0];
        if (kind is not ("switchover" or "failover")) return null;
        var (id, step) = (e.Text("Id"), StepWords.Of(e.Text("Step")));
        return type[(kind.Length + 1)..] switch
        {
            "requested" => $"{kind} {id} to {e.Text("To", "whichever host the policy names")} asked for by {e.Text("RequestedBy")}{e.Because("Reason")}",
            "refused" => $"REFUSED {kind} {id}: {e.Text("Reason")}: {e.Text("Detail")}",
            "started" => $"{kind} {id} begins: {e.Text("From", "nobody")} -> {e.Text("To")} (epoch {e.Text("Epoch")})",
            "step_started" => e.Text("Host") is { Length: > 0 } host ? $"{kind}: {step} on {host} begins" : $"{kind}: {step} begins: waits for a person",
            "step_done" => $"{kind}: {step} done in {e.Duration("Seconds")} (zpool {e.Duration("ZpoolSeconds")}){e.After("Detail")}",
            "step_failed" => $"{kind}: {step} failed after {e.Duration("Seconds")}: {e.Words("Failure")}{e.After("Detail")}",
            "completed" => $"{kind} {id} COMPLETED in {e.Duration("Seconds")}: {e.Text("Holder")} holds the pool (epoch {e.Text("Epoch")})",
            "aborted" => $"{kind} {id} ABORTED after {e.Duration("Seconds")}: {e.Words("Reason")}: {e.Text("Detail")}; {e.Text("Holder", "nobody")} holds the pool",
            "halted" => $"{kind} {id} HALTED after {e.Duration("Seconds")}: {e.Words("Reason")}: {e.Text("Detail")}",
            _ => null,
        };
    }
}
