-- What is done with messages. These run with the owner's rights, because an agent has none on the table: zfsha.agent_host() tells whose agent
-- calls, and what is not that host's is out of reach. For everybody else, who may call them at all is a matter of grants.

create or replace function zfsha.refuse(p_what text) returns void language plpgsql as
$$
begin
    raise exception '%', p_what using errcode = 'insufficient_privilege';
end
$$;

-- The host whose agent this session's login is; null for everybody else, and for whoever may do more than agents. An agent of no host may do nothing.
-- Where rights are the owner's, pg_temp is named and last: it would be searched before everything otherwise, and a caller's own type of a known name
-- would run the caller's code with them.
create or replace function zfsha.agent_host() returns text language plpgsql stable security definer set search_path = pg_catalog, pg_temp as
$$
declare
    host text;
begin
    if pg_has_role(session_user, current_user, 'member') or pg_has_role(session_user, to_regrole('zfsha_server'), 'member') then -- The current user is the owner here.
        return null;
    end if;
    select a.host into host from zfsha.agent_logins a where a.login = session_user;
    if host is null and pg_has_role(session_user, to_regrole('zfsha_agent'), 'member') then
        perform zfsha.refuse(format('the login %s is the agent of no host: put it into zfsha.agent_logins', session_user));
    end if;
    return host;
end
$$;

-- What an agent may say: what its own host reports and that it asks for a session, in its own name.
create or replace function zfsha.says_so_itself(p_host text, p_queue text, p_body jsonb) returns boolean language sql immutable as
$$
    select p_queue = 'server' and p_body ->> 'type' in ('zfsha.host.report', 'zfsha.host.open-session')
       and p_body ->> 'source' = 'zfsha-host/' || p_host and p_body #>> '{data,host}' = p_host
$$;

-- Whether a message is the agent's to take, keep, give back or take away.
create or replace function zfsha.is_for(p_host text, p_queue text, p_body jsonb) returns boolean language sql immutable as
$$ select p_host is null or p_queue = 'host-' || p_host or zfsha.says_so_itself(p_host, p_queue, p_body) $$;

-- Puts messages on their queues and, in the same transaction, completes the one that they answer.
create or replace function zfsha.send_messages(p_ids uuid[], p_queues text[], p_bodies jsonb[], p_delays interval[], p_completes uuid)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as
$$
declare
    host text := zfsha.agent_host();
begin
    if host is not null then
        if exists (select from unnest(p_queues, p_bodies, p_delays) as m (queue, body, delay)
                    where zfsha.says_so_itself(host, m.queue, m.body) is not true or m.delay > interval '0') then
            perform zfsha.refuse(format('the agent of %s may only report for %s, and at once', host, host));
        end if;
    end if;
    if p_completes is not null then
        delete from zfsha.messages m where m.id = p_completes and zfsha.is_for(host, m.queue, m.body);
    end if;
    insert into zfsha.messages (id, queue, body, due_at)
    select m.id, m.queue, m.body, clock_timestamp() + m.delay
      from unnest(p_ids, p_queues, p_bodies, p_delays) with ordinality as m (id, queue, body, delay, n)
        on conflict (id) do nothing;
end
$$;

-- Whether a message waits for an earlier one of its group that failed and waits for its next attempt. What p_overtaking names does so only if
-- that is of such a type too and of the same source: what one source says stays in its order.
create or replace function zfsha.waits_for_failed(p_body jsonb, p_failed jsonb, p_overtaking text[]) returns boolean language sql immutable as
$$
    select (p_body ->> 'type' = any (p_overtaking)) is not true
        or (p_failed ->> 'type' = any (p_overtaking) and p_failed ->> 'source' = p_body ->> 'source') is true
$$;

-- Takes due messages. A message waits for the earlier ones of its group that are due, are being handled, or failed and wait for their next
-- attempt; one that is only scheduled for later, and was never taken, holds nobody up. What does not wait for a failed one does not wait for
-- those either that do.
create or replace function zfsha.claim_messages(p_queue text, p_max integer, p_visibility interval, p_overtaking text[])
returns table (id uuid, queue text, body text, attempts integer, failures integer, enqueued_at timestamptz, claimed_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as
$$
declare
    host text := zfsha.agent_host();
begin
    if host is not null and p_queue <> 'host-' || host then
        perform zfsha.refuse(format('the agent of %s may take messages off its own queue only', host));
    end if;
    return query
        with taken as (
            update zfsha.messages m
               set attempts = m.attempts + 1, due_at = clock_timestamp() + p_visibility, retrying = false
              from (select c.position
                      from zfsha.messages c
                     where c.queue = p_queue and c.due_at <= clock_timestamp()
                       and not exists (select from zfsha.messages e
                                        where e.queue = c.queue and e.group_key = c.group_key and e.position < c.position
                                          and (e.attempts > 0 or e.due_at <= clock_timestamp())
                                          and not (not zfsha.waits_for_failed(c.body, e.body, p_overtaking)
                                                   and (e.retrying or e.attempts = 0 and exists (
                                                       select from zfsha.messages f
                                                        where f.queue = e.queue and f.group_key = e.group_key and f.position < e.position
                                                          and f.retrying and zfsha.waits_for_failed(e.body, f.body, p_overtaking)))))
                     order by c.position limit p_max
                       for update skip locked) as due
             where m.queue = p_queue and m.position = due.position
            returning m.position, m.id, m.queue, m.body::text, m.attempts, m.failures, m.enqueued_at)
        select t.id, t.queue, t.body, t.attempts, t.failures, t.enqueued_at, clock_timestamp() from taken t order by t.position;
end
$$;

-- Keeps taken messages for longer.
create or replace function zfsha.extend_messages(p_ids uuid[], p_attempts integer[], p_visibility interval)
returns void language sql security definer set search_path = pg_catalog, pg_temp as
$$
    update zfsha.messages m set due_at = clock_timestamp() + p_visibility
      from unnest(p_ids, p_attempts) as k (id, attempts)
     where m.id = k.id and m.attempts = k.attempts and zfsha.is_for(zfsha.agent_host(), m.queue, m.body)
$$;

-- Gives a taken message back.
create or replace function zfsha.retry_message(p_id uuid, p_attempts integer, p_failures integer, p_delay interval, p_error text)
returns void language sql security definer set search_path = pg_catalog, pg_temp as
$$
    update zfsha.messages m set due_at = clock_timestamp() + p_delay, failures = p_failures, last_error = p_error, retrying = true
     where m.id = p_id and m.attempts = p_attempts and zfsha.is_for(zfsha.agent_host(), m.queue, m.body)
$$;

-- Gives a taken message up.
create or replace function zfsha.bury_message(p_id uuid, p_attempts integer, p_reason text, p_detail text)
returns void language sql security definer set search_path = pg_catalog, pg_temp as
$$
    with dead as (
        delete from zfsha.messages m where m.id = p_id and m.attempts = p_attempts and zfsha.is_for(zfsha.agent_host(), m.queue, m.body)
        returning m.id, m.queue, m.body, m.attempts, m.enqueued_at)
    insert into zfsha.dead_letters (id, queue, body, attempts, reason, detail, enqueued_at)
    select d.id, d.queue, d.body, d.attempts, p_reason, p_detail, d.enqueued_at from dead d
        on conflict (id) do update set queue = excluded.queue, body = excluded.body, attempts = excluded.attempts, reason = excluded.reason, detail = excluded.detail,
                                       enqueued_at = excluded.enqueued_at, dead_at = clock_timestamp()
         where dead_letters.body <> excluded.body -- The same message given up again is kept once.
$$;

-- Renews a lease. False when it is lost, belongs to another session or to another history: then a new session must be opened.
create or replace function zfsha.renew_lease(p_holder text, p_session uuid) returns boolean language sql security definer set search_path = pg_catalog, pg_temp as
$$
    update zfsha.leases l set renewed_at = clock_timestamp()
     where l.holder = p_holder and l.session = p_session and not l.lost and l.incarnation = zfsha.current_incarnation()
       and coalesce(zfsha.agent_host(), p_holder) = p_holder
    returning true
$$;
