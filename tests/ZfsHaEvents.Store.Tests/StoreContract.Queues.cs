using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_taken_message_is_not_given_out_until_its_time_is_over()
    {
        await SendAsync(Message());

        (await ClaimOneAsync()).Attempts.ShouldBe(1);
        (await ClaimAsync()).ShouldBeEmpty();
        await PassAsync(Ages + Ages);
        (await ClaimOneAsync()).Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_slow_worker_can_neither_keep_nor_give_back_nor_give_up_what_its_successor_has_taken()
    {
        await SendAsync(Message());
        var slow = await ClaimOneAsync();
        await PassAsync(Ages + Ages);
        var successor = await ClaimOneAsync();

        await Queue.RetryAsync(slow, TimeSpan.Zero, "slow", Cancellation);
        await Queue.DeadLetterAsync(slow, "Slow", "slow", Cancellation);
        await Queue.ExtendAsync([slow], Ages * 10, Cancellation);

        (await ClaimAsync()).ShouldBeEmpty();
        (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
        await PassAsync(Ages + Ages); // The extension was not the successor's.
        (await ClaimOneAsync()).Id.ShouldBe(successor.Id);
    }

    [Fact]
    public async Task A_message_that_takes_longer_can_be_kept()
    {
        await SendAsync(Message());
        var message = await ClaimOneAsync();

        await Queue.ExtendAsync([message], Ages * 10, Cancellation);

        await PassAsync(Ages * 5);
        (await ClaimAsync()).ShouldBeEmpty();
        await PassAsync(Ages * 6);
        (await ClaimAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_message_given_back_falls_due_again_after_the_delay()
    {
        await SendAsync(Message());

        await Queue.RetryAsync(await ClaimOneAsync(), Ages, "not yet", Cancellation);

        (await ClaimAsync()).ShouldBeEmpty();
        await PassAsync(Ages);
        (await ClaimOneAsync()).Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_scheduled_message_falls_due_in_its_time()
    {
        await SendAsync(Message(text: "later", delay: Ages), Message(text: "now"));

        var now = await ClaimOneAsync();
        TextOf(now).ShouldBe("now");
        await CompleteAsync(now);
        await PassAsync(Ages);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["later"]);
    }

    [Fact]
    public async Task A_message_says_when_it_was_put_and_when_it_was_taken()
    {
        var before = (await Store.LoadAsync(Stream, Cancellation)).Now;
        await SendAsync(Message());
        await PassAsync(Ages);

        var message = await ClaimOneAsync();
        message.EnqueuedAt.ShouldBeGreaterThanOrEqualTo(before);
        message.Now.ShouldBeGreaterThanOrEqualTo(message.EnqueuedAt + Ages);
    }

    [Fact]
    public async Task Messages_on_one_subject_are_given_out_one_after_the_other_and_on_different_subjects_side_by_side()
    {
        await SendAsync(Message("p1", text: "1a"), Message("p1", text: "1b"), Message("p2", text: "2a"), Message("p2", text: "2b"), Message(text: "x"), Message(text: "y"));

        var first = await ClaimAsync();
        first.Select(TextOf).ShouldBe(["1a", "2a", "x", "y"]);
        (await ClaimAsync()).ShouldBeEmpty();

        await CompleteAsync(first[0]);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["1b"]);
    }

    [Fact]
    public async Task A_message_given_back_holds_up_those_after_it_on_its_subject()
    {
        await SendAsync(Message("p1", text: "first"), Message("p1", text: "second"));
        await Queue.RetryAsync(await ClaimOneAsync(), Ages, "not yet", Cancellation);

        (await ClaimAsync()).ShouldBeEmpty();
        await PassAsync(Ages);
        TextOf(await ClaimOneAsync()).ShouldBe("first");
    }

    [Fact]
    public async Task A_message_that_is_only_scheduled_holds_nobody_up()
    {
        await SendAsync(Message("p1", text: "overdue", delay: Ages), Message("p1", text: "report"));

        (await ClaimAsync()).Select(TextOf).ShouldBe(["report"]);
    }

    [Fact]
    public async Task No_more_are_given_out_than_were_asked_for()
    {
        await SendAsync([.. Enumerable.Range(0, 200).Select(i => Message(text: $"{i:000}"))]);

        (await ClaimAsync(7)).Select(TextOf).ShouldBe(Enumerable.Range(0, 7).Select(i => $"{i:000}"));
        (await ClaimAsync(1000)).Count.ShouldBe(193);
    }

    [Fact]
    public async Task Many_workers_never_hold_two_messages_of_one_subject_nor_one_message_twice()
    {
        const int Subjects = 3, Each = 8;
        await SendAsync([.. Enumerable.Range(0, Each).SelectMany(i => Enumerable.Range(0, Subjects).Select(s => Message($"p{s}", text: $"p{s}/{i}")))]);
        var (held, handled) = (new HashSet<string>(), new List<string>());

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                lock (held)
                    if (handled.Count == Subjects * Each) return;
                foreach (var message in await ClaimAsync(1))
                {
                    var subject = TextOf(message)[..2];
                    lock (held) held.Add(subject).ShouldBeTrue($"two of {subject} at once");
                    await Task.Yield();
                    lock (held)
                    {
                        held.Remove(subject);
                        handled.Add(TextOf(message));
                    }

                    await CompleteAsync(message);
                }
            }
        })));

        for (var s = 0; s < Subjects; s++)
            handled.Where(t => t.StartsWith($"p{s}/", StringComparison.Ordinal)).ShouldBe(Enumerable.Range(0, Each).Select(i => $"p{s}/{i}"));
    }

    [Fact]
    public async Task Queues_are_separate()
    {
        await SendAsync(Message("p1", "host-a", "for a"), Message("p1", "host-b", "for b"));

        (await ClaimAsync()).ShouldBeEmpty();
        (await ClaimAsync(queue: "host-b")).Select(TextOf).ShouldBe(["for b"]);
        (await ClaimAsync(queue: "host-a")).Select(TextOf).ShouldBe(["for a"]);
    }

    [Fact]
    public async Task A_message_put_twice_stands_there_once()
    {
        var message = Message();
        await SendAsync(message, message);
        await SendAsync(message with { Json = """{"id":"another body"}""" });

        TextOf((await ClaimAsync()).ShouldHaveSingleItem()).ShouldBe("hello");
    }

    [Fact]
    public async Task A_report_takes_the_order_it_answers_off_its_queue()
    {
        var order = Message(queue: "host-a");
        await SendAsync(order);
        await ClaimOneAsync("host-a");

        await Queue.SendAsync([Message(text: "report")], completes: order.Id, Cancellation);

        await PassAsync(Ages + Ages);
        (await ClaimAsync(queue: "host-a")).ShouldBeEmpty();
        (await ClaimAsync()).Select(TextOf).ShouldBe(["report"]);
    }

    [Fact]
    public async Task Told_twice_a_report_is_one_message()
    {
        var (order, report) = (Message(queue: "host-a"), Message(text: "report"));
        await SendAsync(order);
        await Queue.SendAsync([report], completes: order.Id, Cancellation);

        await Queue.SendAsync([report], completes: order.Id, Cancellation);

        (await ClaimAsync()).ShouldHaveSingleItem();
    }

    // ---- what cannot be handled --------------------------------------------------------------------------------------

    [Fact]
    public async Task A_message_given_up_on_is_kept_with_its_body_and_the_reason()
    {
        await SendAsync(Message("p1", text: "poison"), Message("p1", text: "next"));
        var poison = await ClaimOneAsync();

        await Queue.DeadLetterAsync(poison, "Malformed", "type is missing", Cancellation);

        var letter = (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        (letter.Id, letter.Queue, letter.Attempts, letter.Reason, letter.Detail).ShouldBe((poison.Id, "server", 1, "Malformed", "type is missing"));
        ShouldSayTheSame(letter.Json, poison.Json);
        letter.EnqueuedAt.ShouldBe(poison.EnqueuedAt);
        letter.DeadAt.ShouldBeGreaterThanOrEqualTo(poison.EnqueuedAt);
        TextOf(await ClaimOneAsync()).ShouldBe("next"); // Nothing else is disturbed.
        await PassAsync(Ages + Ages);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["next"]);
    }

    [Fact]
    public async Task Dead_letters_are_listed_newest_first()
    {
        foreach (var text in (string[])["1", "2", "3"])
        {
            await SendAsync(Message(text: text));
            await Queue.DeadLetterAsync(await ClaimOneAsync(), "Failed", text, Cancellation);
            await PassAsync(TimeSpan.FromSeconds(1));
        }

        (await Queue.DeadLettersAsync(queue: null, 2, Cancellation)).Select(l => l.Detail).ShouldBe(["3", "2"]);
    }

    [Fact]
    public async Task A_message_put_again_after_it_was_given_up_on_is_kept_once()
    {
        var message = Message();
        for (var i = 0; i < 2; i++)
        {
            await SendAsync(message);
            await Queue.DeadLetterAsync(await ClaimOneAsync(), "Failed", "", Cancellation);
        }

        (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Dead_letters_can_be_had_one_by_one_or_of_one_queue()
    {
        var here = await GivenADeadLetterAsync(Message(text: "here"));
        var there = await GivenADeadLetterAsync(Message(queue: "host-a", text: "there"));

        (await Queue.DeadLettersAsync("host-a", 10, Cancellation)).Select(l => l.Id).ShouldBe([there]);
        (await Queue.DeadLettersAsync("host-a", 0, Cancellation)).ShouldBeEmpty();
        (await Queue.DeadLettersAsync("no\0body", 10, Cancellation)).ShouldBeEmpty();
        (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).Count.ShouldBe(2);
        (await Queue.FindDeadLetterAsync(here, Cancellation)).ShouldBe((await Queue.DeadLettersAsync("server", 10, Cancellation))[0]);
        (await Queue.FindDeadLetterAsync(Guid.NewGuid(), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task A_dead_letter_that_is_replayed_stands_on_its_queue_as_if_never_taken_behind_those_of_its_subject()
    {
        var dead = await GivenADeadLetterAsync(Message("p1", "host-a", "again"));
        await SendAsync(Message("p1", "host-a", "next"));
        await PassAsync(TimeSpan.FromSeconds(1));
        var now = (await Store.LoadAsync(Stream, Cancellation)).Now;

        (await Queue.ReplayAsync(dead, Cancellation)).ShouldBeTrue();

        (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
        (await ClaimAsync()).ShouldBeEmpty();
        var next = await ClaimOneAsync("host-a");
        TextOf(next).ShouldBe("next");
        (await ClaimAsync(queue: "host-a")).ShouldBeEmpty();
        await CompleteAsync(next);
        var again = await ClaimOneAsync("host-a");
        (TextOf(again), again.Id, again.Attempts).ShouldBe(("again", dead, 1));
        again.EnqueuedAt.ShouldBeGreaterThanOrEqualTo(now);
    }

    [Fact]
    public async Task A_replay_wakes_who_waits_on_the_queue()
    {
        var dead = await GivenADeadLetterAsync(Message(queue: "host-a"));
        await Queue.WaitAsync("host-a", TimeSpan.Zero, Cancellation);

        await Queue.ReplayAsync(dead, Cancellation);

        await Queue.WaitAsync("host-a", Ages, Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task A_dead_letter_that_was_handled_after_all_is_noticed_as_a_repeat_when_it_is_replayed()
    {
        var dead = await GivenADeadLetterAsync(Message());
        await SendAsync(Message());
        (await HandleAsync(await ClaimOneAsync(), "somewhere#1")).ShouldBe(CommitResult.Committed);

        await Queue.ReplayAsync(dead, Cancellation);

        (await HandleAsync(await ClaimOneAsync(), "somewhere#1")).ShouldBe(CommitResult.Duplicate);
        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_dead_letter_whose_sender_has_put_it_again_stands_on_its_queue_once()
    {
        var message = Message();
        var dead = await GivenADeadLetterAsync(message);
        await SendAsync(message);
        (await ClaimOneAsync()).Id.ShouldBe(dead);

        (await Queue.ReplayAsync(dead, Cancellation)).ShouldBeTrue();

        (await Queue.FindDeadLetterAsync(dead, Cancellation)).ShouldBeNull();
        (await ClaimAsync()).ShouldBeEmpty(); // It is taken, and stays so.
        await PassAsync(Ages + Ages);
        (await ClaimOneAsync()).Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_message_that_is_replayed_can_be_given_up_on_again()
    {
        var dead = await GivenADeadLetterAsync(Message());
        await Queue.ReplayAsync(dead, Cancellation);

        await Queue.DeadLetterAsync(await ClaimOneAsync(), "Failed", "the second time", Cancellation);

        (await Queue.FindDeadLetterAsync(dead, Cancellation)).ShouldNotBeNull().Detail.ShouldBe("the second time");
    }

    [Fact]
    public async Task A_dead_letter_is_discarded_once_and_for_good()
    {
        var (kept, dead) = (await GivenADeadLetterAsync(Message()), await GivenADeadLetterAsync(Message()));
        var letter = await Queue.FindDeadLetterAsync(dead, Cancellation);

        (await Queue.DiscardAsync(dead, Cancellation)).ShouldBe(letter);

        (await Queue.DiscardAsync(dead, Cancellation)).ShouldBeNull();
        (await Queue.ReplayAsync(dead, Cancellation)).ShouldBeFalse();
        (await Queue.DeadLettersAsync(queue: null, 10, Cancellation)).Select(l => l.Id).ShouldBe([kept]);
        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_many_who_replay_and_discard_one_dead_letter_one_has_it()
    {
        var dead = await GivenADeadLetterAsync(Message());

        var had = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
            i % 2 == 0 ? await Queue.ReplayAsync(dead, Cancellation) : await Queue.DiscardAsync(dead, Cancellation) is not null)));

        had.Count(h => h).ShouldBe(1);
        (await ClaimAsync()).Count.ShouldBe(had.Index().Count(h => h.Item && h.Index % 2 == 0));
    }

    async Task<Guid> GivenADeadLetterAsync(NewMessage message)
    {
        await SendAsync(message);
        await Queue.DeadLetterAsync(await ClaimOneAsync(message.Queue), "Failed", "a fault", Cancellation);
        return message.Id;
    }

    // ---- what was handled --------------------------------------------------------------------------------------------

    [Fact]
    public async Task What_was_handled_is_forgotten_when_it_is_old_enough_oldest_first_and_no_more_than_asked_for_at_once()
    {
        for (var i = 0; i < 4; i++)
        {
            await SendAsync(Message());
            (await HandleAsync(await ClaimOneAsync(), $"somewhere#{i}")).ShouldBe(CommitResult.Committed);
            await PassAsync(Ages);
        }

        (await Queue.ForgetHandledAsync(Ages * 5, 10, Cancellation)).ShouldBe(0);
        (await Queue.ForgetHandledAsync(Ages * 1.5, 2, Cancellation)).ShouldBe(2);
        (await Queue.ForgetHandledAsync(Ages * 1.5, 2, Cancellation)).ShouldBe(1);
        (await Queue.ForgetHandledAsync(Ages * 1.5, 2, Cancellation)).ShouldBe(0);

        (await RepeatAsync("somewhere#3")).ShouldBe(CommitResult.Duplicate);
        (await RepeatAsync("somewhere#2")).ShouldBe(CommitResult.Committed);
    }

    [Fact]
    public async Task A_repeat_that_is_noticed_is_remembered_no_longer_for_that()
    {
        await RepeatAsync("somewhere#1");
        await PassAsync(Ages);
        (await RepeatAsync("somewhere#1")).ShouldBe(CommitResult.Duplicate);
        await PassAsync(Ages);

        (await Queue.ForgetHandledAsync(Ages * 1.5, 10, Cancellation)).ShouldBe(1);
    }

    async Task<CommitResult> RepeatAsync(string key)
    {
        await SendAsync(Message());
        return await HandleAsync(await ClaimOneAsync(), key);
    }

    async Task<CommitResult> HandleAsync(ClaimedMessage message, string key) =>
        await Store.CommitAsync((await CommitOnAsync(Stream)) with { Handled = new(message.Id, message.Attempts, key) }, Cancellation);

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("""{"subject":null}""")]
    [InlineData("""{"subject":5}""")]
    [InlineData("""{"subject":{"a":[1,2]}}""")]
    public async Task A_body_that_is_JSON_but_no_message_is_given_out_as_it_is(string body)
    {
        await SendAsync(Message() with { Json = body });

        var claimed = await ClaimOneAsync();
        ShouldSayTheSame(claimed.Json, body);
        await Queue.DeadLetterAsync(claimed, "Malformed", "expected a CloudEvents 1.0 message", Cancellation);
        ShouldSayTheSame((await Queue.DeadLettersAsync(queue: null, 1, Cancellation))[0].Json, body);
    }

    [Fact]
    public async Task A_body_that_is_not_JSON_is_not_put_and_neither_are_those_put_with_it()
    {
        await Should.ThrowAsync<Exception>(() => SendAsync(Message(), Message() with { Json = "{" }));

        (await ClaimAsync()).ShouldBeEmpty();
    }

    // ---- wake-ups ----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Who_waits_on_a_queue_is_woken_by_a_message_on_it()
    {
        var waiting = Queue.WaitAsync("server", Ages, Cancellation);
        await SendAsync(Message());

        await waiting.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task Who_waits_on_a_queue_is_woken_by_a_commit_that_puts_a_message_on_it()
    {
        await Queue.WaitAsync("host-a", TimeSpan.Zero, Cancellation);
        (await Store.CommitAsync((await CommitOnAsync(Stream, Event())) with { Messages = [Message(queue: "host-a")] }, Cancellation)).ShouldBe(CommitResult.Committed);

        // Woken at once, although the message came before the wait.
        await Queue.WaitAsync("host-a", Ages, Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task Who_waits_in_vain_is_let_go_after_the_longest_wait() =>
        await Queue.WaitAsync("server", TimeSpan.FromMilliseconds(50), Cancellation).WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

    async Task CompleteAsync(ClaimedMessage message)
    {
        var stream = $"pool-{message.Id}"; // Of its own, so that completing is never a conflict.
        (await Store.CommitAsync(new(stream, "pool", 0, message.Now, null) { Handled = new(message.Id, message.Attempts, null) }, Cancellation)).ShouldBe(CommitResult.Committed);
    }

    // ---- what does not wait for a message that failed ---------------------------------------------------------------------

    /// <summary>The types that the stores under test let overtake.</summary>
    protected static IReadOnlyList<string> Overtaking { get; } = ["call-off", "report"];

    static NewMessage Of(string type, string source, string text) =>
        new(Guid.NewGuid(), "server", $$"""{"specversion":"1.0","id":"{{text}}","type":"{{type}}","source":"{{source}}","subject":"tank1"}""", TimeSpan.Zero);

    [Fact]
    public async Task A_message_that_failed_holds_its_group_but_not_what_calls_off_or_reports()
    {
        await SendAsync(Of("switchover", "alice", "failed"), Of("switchover", "alice", "next"), Of("call-off", "alice", "call off"), Of("report", "host-a", "report"));
        await Queue.RetryAsync(await ClaimOneAsync(), Ages, "broke", Cancellation);

        var passes = await ClaimOneAsync();
        TextOf(passes).ShouldBe("call off");
        (await ClaimAsync()).ShouldBeEmpty(); // One after the other.
        await SendCompletingAsync(passes);
        (await ClaimAsync()).Select(TextOf).ShouldBe(["report"]);
        (await ClaimAsync()).ShouldBeEmpty();
    }

    async Task SendCompletingAsync(ClaimedMessage message) => await Queue.SendAsync([], message.Id, Cancellation);

    [Fact]
    public async Task A_message_that_is_being_handled_holds_its_whole_group()
    {
        await SendAsync(Of("switchover", "alice", "taken"), Of("call-off", "alice", "call off"), Of("report", "host-a", "report"));
        await ClaimOneAsync();

        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_one_source_reports_stays_in_its_order_also_when_a_report_failed()
    {
        await SendAsync(Of("report", "host-a", "failed"), Of("report", "host-a", "later"), Of("report", "host-b", "another's"));
        await Queue.RetryAsync(await ClaimOneAsync(), Ages, "broke", Cancellation);

        (await ClaimAsync()).Select(TextOf).ShouldBe(["another's"]);
    }

    [Fact]
    public async Task Once_the_failed_one_is_taken_again_it_holds_everything()
    {
        await SendAsync(Of("switchover", "alice", "failed"), Of("call-off", "alice", "call off"));
        await Queue.RetryAsync(await ClaimOneAsync(), TimeSpan.Zero, "broke", Cancellation);
        TextOf(await ClaimOneAsync()).ShouldBe("failed");

        (await ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_commit_sends_is_sent_although_somebody_has_put_something_else_under_its_id()
    {
        var order = new NewMessage(Guid.NewGuid(), "host-b", """{"specversion":"1.0","id":"order","type":"order","source":"zfsha-server"}""", TimeSpan.Zero);
        await SendAsync(order with { Queue = "server", Json = """{"specversion":"1.0","id":"foreseen","type":"report","source":"zfsha-host/a"}""" });

        await Store.CommitAsync(await CommitOnAsync(Stream, Event()) with { Messages = [order] }, Cancellation);

        (await ClaimAsync(queue: "host-b")).Select(TextOf).ShouldBe(["order"]);
    }

    [Fact]
    public async Task How_often_a_message_failed_is_kept_with_it_apart_from_how_often_it_was_taken()
    {
        await SendAsync(Message());
        var first = await ClaimOneAsync();
        await Queue.RetryAsync(first with { Failures = first.Failures + 1 }, TimeSpan.Zero, "a fault", Cancellation);
        var second = await ClaimOneAsync();
        await Queue.RetryAsync(second, TimeSpan.Zero, "a conflict", Cancellation);
        var third = await ClaimOneAsync();

        (second.Attempts, second.Failures, third.Attempts, third.Failures).ShouldBe((2, 1, 3, 1));
    }
}
