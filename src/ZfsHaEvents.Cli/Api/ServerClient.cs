using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Api;

/// <summary>The server, over HTTP.</summary>
/// <remarks>
/// Every method throws <see cref="ServerUnreachableException"/> when it does not answer or its database does not, and
/// <see cref="ServerRefusedException"/> when it says no.
/// </remarks>
sealed class ServerClient : IDisposable
{
    readonly HttpClient _http;

    /// <param name="limit">For one question and its answer.</param>
    public ServerClient(Uri address, TimeSpan limit)
    {
        Address = address.AbsoluteUri.EndsWith('/') ? address : new(address.AbsoluteUri + "/");
        // No proxy: a variable set for the internet's sake must not send questions about pools there.
        _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = limit, AllowAutoRedirect = false }) { BaseAddress = Address, Timeout = limit };
    }

    public Uri Address { get; }

    public void Dispose() => _http.Dispose();

    public Task<IReadOnlyList<PoolOwnership>> PoolsAsync(CancellationToken cancellation) => GetAsync("pools", ApiJson.Default.IReadOnlyListPoolOwnership, cancellation);

    public Task<PoolOwnership> PoolAsync(PoolReference pool, CancellationToken cancellation) => GetAsync(PathOf(pool), ApiJson.Default.PoolOwnership, cancellation);

    public Task<OwnerAt> OwnerAtAsync(PoolReference pool, DateTimeOffset at, CancellationToken cancellation) =>
        GetAsync($"{PathOf(pool)}/owner?at={Escaped(at)}", ApiJson.Default.OwnerAt, cancellation);

    public Task<IReadOnlyList<HistoryEntry>> HistoryAsync(PoolReference pool, HistoryFilter filter, CancellationToken cancellation)
    {
        var query = new List<string>
        {
            $"limit={filter.Limit.ToString(CultureInfo.InvariantCulture)}",
            $"newestFirst={(filter.NewestFirst ? "true" : "false")}",
        };
        query.AddRange(filter.Types.Select(t => $"type={Uri.EscapeDataString(t)}"));
        if (filter.Host is { } host) query.Add($"host={Uri.EscapeDataString(host.Value)}");
        if (filter.Request is { } request) query.Add($"request={Uri.EscapeDataString(request.Value)}");
        if (filter.From is { } from) query.Add($"from={Escaped(from)}");
        if (filter.To is { } to) query.Add($"to={Escaped(to)}");
        if (filter.After is { } after) query.Add($"after={after.ToString(CultureInfo.InvariantCulture)}");
        return GetAsync($"{PathOf(pool)}/history?{string.Join('&', query)}", ApiJson.Default.IReadOnlyListHistoryEntry, cancellation);
    }

    public Task<IReadOnlyList<Dossier>> MovesAsync(PoolReference? pool, CancellationToken cancellation) =>
        GetAsync($"moves{Of(pool)}", ApiJson.Default.IReadOnlyListDossier, cancellation);

    public Task<Dossier> MoveAsync(RequestId id, PoolReference? pool, CancellationToken cancellation) => GetAsync($"{PathOf(id)}{Of(pool)}", ApiJson.Default.Dossier, cancellation);

    public Task<IReadOnlyList<HistoryEntry>> MoveEventsAsync(Dossier move, CancellationToken cancellation) =>
        GetAsync($"{PathOf(move.Id)}/events{Of(new(move.Pool.ToString()))}", ApiJson.Default.IReadOnlyListHistoryEntry, cancellation);

    public Task<IReadOnlyList<HostState>> HostsAsync(CancellationToken cancellation) => GetAsync("hosts", ApiJson.Default.IReadOnlyListHostState, cancellation);

    public Task<IReadOnlyList<Alert>> AlertsAsync(bool all, CancellationToken cancellation) =>
        GetAsync(all ? "alerts" : "alerts?open=true", ApiJson.Default.IReadOnlyListAlert, cancellation);

    /// <param name="queue">Only those of this queue; null for all.</param>
    public Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string? queue, int limit, CancellationToken cancellation) => GetAsync(
        $"dead-letters?limit={limit.ToString(CultureInfo.InvariantCulture)}{(queue is null ? "" : $"&queue={Uri.EscapeDataString(queue)}")}", ApiJson.Default.IReadOnlyListDeadLetter, cancellation);

    public Task<DeadLetter> DeadLetterAsync(Guid id, CancellationToken cancellation) => GetAsync(PathOf(id), ApiJson.Default.DeadLetter, cancellation);

    public Task<DeadLetter> ReplayAsync(Guid id, ReplayBody body, CancellationToken cancellation) =>
        ActAsync(HttpMethod.Post, $"{PathOf(id)}/replays", body, ApiJson.Default.ReplayBody, ApiJson.Default.DeadLetter, cancellation);

    public Task<DeadLetter> DiscardAsync(Guid id, DiscardBody body, CancellationToken cancellation) =>
        ActAsync(HttpMethod.Delete, PathOf(id), body, ApiJson.Default.DiscardBody, ApiJson.Default.DeadLetter, cancellation);

    public Task<ProjectionsState> ProjectionsAsync(CancellationToken cancellation) => GetAsync("projections", ApiJson.Default.ProjectionsState, cancellation);

    /// <param name="what"><c>pauses</c>, <c>resumptions</c> or <c>rebuilds</c>.</param>
    public Task<IReadOnlyList<ReaderState>> AskReaderAsync(string reader, string what, AskedBody body, CancellationToken cancellation) =>
        ActAsync(HttpMethod.Post, $"projections/{Uri.EscapeDataString(reader)}/{what}", body, ApiJson.Default.AskedBody, ApiJson.Default.IReadOnlyListReaderState, cancellation);

    public Task<IReadOnlyList<ReaderState>> ReplayStreamAsync(string reader, ReplayStreamBody body, CancellationToken cancellation) =>
        ActAsync(HttpMethod.Post, $"projections/{Uri.EscapeDataString(reader)}/replays", body, ApiJson.Default.ReplayStreamBody, ApiJson.Default.IReadOnlyListReaderState, cancellation);

    public Task<IReadOnlyList<ActivityEntry>> ActivityAsync(CancellationToken cancellation) => GetAsync("activity", ApiJson.Default.IReadOnlyListActivityEntry, cancellation);

    public Task<ActivityEntry> ActivityAsync(PoolReference pool, CancellationToken cancellation) => GetAsync($"{PathOf(pool)}/activity", ApiJson.Default.ActivityEntry, cancellation);

    public Task<Health> HealthAsync(CancellationToken cancellation) => GetAsync("health", ApiJson.Default.Health, cancellation);

    public Task<Answer> SwitchOverAsync(PoolReference pool, SwitchoverBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"{PathOf(pool)}/switchovers", body, ApiJson.Default.SwitchoverBody, body.Id, cancellation);

    public Task<Answer> FailOverAsync(PoolReference pool, FailoverBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"{PathOf(pool)}/failovers", body, ApiJson.Default.FailoverBody, body.Id, cancellation);

    public Task<Answer> ConfirmFencingAsync(PoolReference pool, FencingBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"{PathOf(pool)}/fencing-confirmations", body, ApiJson.Default.FencingBody, body.Id, cancellation);

    public Task<Answer> AcknowledgeHaltAsync(PoolReference pool, AcknowledgeBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"{PathOf(pool)}/halt-acknowledgements", body, ApiJson.Default.AcknowledgeBody, body.Id, cancellation);

    public Task<Answer> AcknowledgeAlertAsync(string alert, AcknowledgeBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"alerts/{Uri.EscapeDataString(alert)}/acknowledgements", body, ApiJson.Default.AcknowledgeBody, body.Id, cancellation);

    public Task<Answer> CallOffAsync(RequestId move, PoolReference? pool, CallOffBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Post, $"{PathOf(move)}/call-offs{Of(pool)}", body, ApiJson.Default.CallOffBody, body.Id, cancellation);

    public Task<Answer> SetPolicyAsync(PoolReference pool, PolicyBody body, CancellationToken cancellation) =>
        AskAsync(HttpMethod.Put, $"{PathOf(pool)}/policy", body, ApiJson.Default.PolicyBody, body.Id, cancellation);

    static string PathOf(PoolReference pool) => $"pools/{Uri.EscapeDataString(pool.Text)}";

    static string PathOf(RequestId move) => $"moves/{Uri.EscapeDataString(move.Value)}";

    static string PathOf(Guid deadLetter) => $"dead-letters/{deadLetter}";

    static string Of(PoolReference? pool) => pool is { } p ? $"?pool={Uri.EscapeDataString(p.Text)}" : "";

    static string Escaped(DateTimeOffset at) => Uri.EscapeDataString(at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));

    async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await SendAsync(request, type, cancellation);
    }

    async Task<Answer> AskAsync<TBody>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> type, RequestId id, CancellationToken cancellation)
    {
        try
        {
            return await ActAsync(method, path, body, type, ApiJson.Default.Answer, cancellation);
        }
        catch (ServerUnreachableException e) when (e.InnerException is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError })
        {
            // It may have been recorded before the answer was lost; the id makes finding out harmless.
            throw new ServerUnreachableException(e.Message, $"Whether it was recorded is not known. Ask again with --id {id}: asking twice with one id is asking once.", e);
        }
    }

    async Task<T> ActAsync<TBody, T>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> type, JsonTypeInfo<T> answer, CancellationToken cancellation) where T : class
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(method, path) { Content = content };
        return await SendAsync(request, answer, cancellation);
    }

    async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        try
        {
            using var response = await _http.SendAsync(request, cancellation);
            if (!response.IsSuccessStatusCode) throw await ProblemAsync(response, cancellation);
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            return await JsonSerializer.DeserializeAsync(body, type, cancellation) ?? throw new JsonException("null");
        }
        catch (HttpRequestException e)
        {
            throw new ServerUnreachableException($"the server at {Address} cannot be reached: {(e.InnerException as SocketException)?.Message ?? e.Message}", WhatToCheck, e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ServerUnreachableException($"the server at {Address} did not answer within {_http.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", WhatToCheck, e);
        }
        catch (JsonException e)
        {
            throw new ServerUnreachableException($"what answers at {Address} is not a zfsha server, or one of another version ({e.Message})", WhatToCheck, e);
        }
    }

    const string WhatToCheck = "Check that zfsha-server runs there (systemctl status zfsha-server), and the address: --server or ZFSHA_SERVER.";

    async Task<Exception> ProblemAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
            return new ServerUnreachableException($"what answers at {Address} is not a zfsha server: HTTP {status.ToString(CultureInfo.InvariantCulture)}", WhatToCheck);

        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var problem = await JsonSerializer.DeserializeAsync(body, ApiJson.Default.Problem, cancellation) ?? new();
        var reason = problem.Type is { Length: > 0 } word && !word.Contains(':', StringComparison.Ordinal) ? word : $"HTTP {status.ToString(CultureInfo.InvariantCulture)}";
        var detail = problem.Detail ?? problem.Title ?? "no detail was given";
        return status is 503
            ? new ServerUnreachableException($"the server at {Address} answers and cannot help: {reason}: {detail}", "Check its database; it goes on by itself when that is back.")
            : new ServerRefusedException(status, reason, detail);
    }
}
