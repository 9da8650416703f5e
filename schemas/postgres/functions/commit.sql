-- One round trip, one commit: the version is checked before anything is written and before any number is drawn; then the events come, the
-- handled message goes, the outgoing messages and the inline documents come. Returns what became of it; everything but 'committed' and 'duplicate' leaves
-- the database as it was, and so does what is raised: ZL001, the lease is held after all; ZQ001, the message was taken by somebody else.

do $$
declare
    former regprocedure;
begin
    for former in select oid from pg_proc where pronamespace = 'zfsha'::regnamespace and proname = 'commit_stream' loop
        execute format('drop function %s', former);
    end loop;
end $$;

-- Writes an inline document. One statement for each table, so that each is planned once and not every time.
do $do$
declare
    kind text;
    branches text := '';
begin
    foreach kind in array array['poolownership', 'dossier', 'alert', 'hostview'] loop
        branches := branches || format($branch$
    elsif p_kind = %2$L then
        insert into zfsha.%1$I (id, data, mt_last_modified, mt_dotnet_type, mt_version) values (p_id, p_data, p_at, p_type, p_version)
            on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_version = excluded.mt_version;$branch$, 'mt_doc_' || kind, kind);
    end loop;
    execute format($create$
create or replace function zfsha.put_document(p_kind text, p_id text, p_data jsonb, p_type text, p_version bigint, p_at timestamptz) returns void language plpgsql as
$body$
begin
    if p_kind is null then
        raise exception 'a document has no kind';%s
    else
        raise exception 'there is no table for documents of the kind %%', p_kind;
    end if;
end
$body$ $create$, branches);
end $do$;

-- Whoever has no use for a part leaves it out: a call binds what it has.
create or replace function zfsha.commit_stream(
    p_stream text, p_stream_type text, p_expected bigint, p_recorded_at timestamptz, p_causation text default null,
    p_ids uuid[] default null, p_types text[] default null, p_dotnet_types text[] default null, p_bodies jsonb[] default null, p_headers jsonb[] default null,
    p_observed timestamptz[] default null, p_users text[] default null, p_correlations text[] default null,
    p_handled_id uuid default null, p_handled_attempts integer default null, p_handled_key text default null,
    p_message_ids uuid[] default null, p_queues text[] default null, p_messages jsonb[] default null, p_delays interval[] default null,
    p_void_group text default null, p_void_queues text default null,
    p_document_kinds text[] default null, p_document_ids text[] default null, p_documents jsonb[] default null, p_document_types text[] default null,
    p_document_versions bigint[] default null,
    p_lease_change text default null, p_lease_holder text default null, p_lease_session uuid default null, p_lease_duration interval default null,
    p_lease_attributes jsonb default null)
returns text language plpgsql as
$$
declare
    added    integer := coalesce(cardinality(p_ids), 0);
    version  bigint;
    archived boolean;
    history  integer;
    place    xid8;
    high     timestamptz;
    highest  timestamptz;
    nothing  text;
begin
    if p_handled_key is not null then
        if exists (select from zfsha.handled_messages h where h.key = p_handled_key) then -- Not in one condition with it: that would be a query in any case.
            delete from zfsha.messages m where m.id = p_handled_id and m.attempts = p_handled_attempts;
            return case when found or p_handled_id is null then 'duplicate' else 'not_ours' end;
        end if;
    end if;

    -- The stream's row, which also makes writers wait for each other. As place_event does it for everybody else: no event's place is below that of the
    -- version before it, and numbers are drawn after this, hence after those of the version before.
    if added > 0 then
        if added > 3 then
            highest := (select max(o) from unnest(p_observed) o);
        end if;
        if p_expected > 0 then
            update zfsha.mt_streams s
               set version = p_expected + added, timestamp = p_recorded_at, tail_version = p_expected + added,
                   tail_transaction_id = greatest(s.tail_transaction_id, pg_current_xact_id()), tail_high_before = s.tail_high_at,
                   tail_high_at = greatest(s.tail_high_at, highest, p_observed[1], p_observed[2], p_observed[3])
             where s.id = p_stream and s.version = p_expected and s.tail_version = p_expected and not coalesce(s.is_archived, false)
            returning s.tail_incarnation, s.tail_transaction_id, s.tail_high_before into history, place, high;
        else
            insert into zfsha.mt_streams (id, type, version, timestamp, created)
            values (p_stream, p_stream_type, added, p_recorded_at, p_recorded_at) on conflict do nothing;
            if found then
                history := zfsha.current_incarnation();
                place := pg_current_xact_id();
            end if;
        end if;
    end if;
    if history is null then -- Nothing to append, the tail is not known, or there is something in the way.
        select s.version, s.is_archived into version, archived from zfsha.mt_streams s where s.id = p_stream for update;
        if coalesce(version, 0) <> p_expected then
            return 'conflict';
        elsif added > 0 and archived then
            return 'archived';
        elsif added > 0 then
            history := zfsha.current_incarnation(); -- With the stream's row locked: see begin_incarnation.
            place := pg_current_xact_id();
            select greatest(place, case when e.incarnation = history then e.transaction_id end), e.high_at into place, high
              from zfsha.mt_events e where e.stream_id = p_stream and e.version = p_expected;
            place := coalesce(place, pg_current_xact_id()); -- A row without events, as a foreign writer may leave one behind.
            update zfsha.mt_streams s
               set version = p_expected + added, timestamp = p_recorded_at, tail_version = p_expected + added, tail_incarnation = history,
                   tail_transaction_id = place, tail_high_before = high, tail_high_at = greatest(high, highest, p_observed[1], p_observed[2], p_observed[3])
             where s.id = p_stream;
        end if;
    end if;

    if added > 3 then
        insert into zfsha.mt_events
            (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, host, observed_at, high_at, transaction_id, incarnation)
        select nextval('zfsha.mt_events_sequence'), e.id, p_stream, p_expected + e.n, e.body, e.type, p_recorded_at, e.dotnet_type,
               e.correlation, p_causation, e.headers, e.user_name, e.headers ->> 'host', e.observed, greatest(high, max(e.observed) over (order by e.n)), place, history
          from unnest(p_ids, p_types, p_dotnet_types, p_bodies, p_headers, p_observed, p_users, p_correlations)
               with ordinality as e (id, type, dotnet_type, body, headers, observed, user_name, correlation, n);
        insert into zfsha.late_events (stream_id, observed_at, version)
        select p_stream, e.observed, p_expected + e.n
          from (select o.observed, o.n, greatest(high, max(o.observed) over (order by o.n)) as high_at from unnest(p_observed) with ordinality as o (observed, n)) e
         where e.high_at > e.observed + interval '10 minutes';
    else -- Rows one by one cost less than setting up for many.
        for i in 1 .. added loop
            insert into zfsha.mt_events
                (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, host, observed_at, high_at, transaction_id, incarnation)
            values (nextval('zfsha.mt_events_sequence'), p_ids[i], p_stream, p_expected + i, p_bodies[i], p_types[i], p_recorded_at, p_dotnet_types[i],
                    p_correlations[i], p_causation, p_headers[i], p_users[i], p_headers[i] ->> 'host', p_observed[i], greatest(high, p_observed[i]), place, history);
            if high is null or p_observed[i] > high then
                high := p_observed[i];
            elsif high > p_observed[i] + interval '10 minutes' then
                insert into zfsha.late_events (stream_id, observed_at, version) values (p_stream, p_observed[i], p_expected + i);
            end if;
        end loop;
    end if;

    if p_handled_id is not null then
        delete from zfsha.messages m where m.id = p_handled_id and m.attempts = p_handled_attempts;
        if not found then
            raise exception 'not ours' using errcode = 'ZQ001';
        end if;
    end if;
    if p_handled_key is not null then
        insert into zfsha.handled_messages (key) values (p_handled_key);
    end if;

    if p_lease_change = 'lose' then
        update zfsha.leases l set lost = true
         where l.holder = p_lease_holder and l.session = p_lease_session and not l.lost and clock_timestamp() > zfsha.lease_end(l);
        if not found then
            raise exception 'lease held' using errcode = 'ZL001';
        end if;
    elsif p_lease_change = 'grant' then
        insert into zfsha.leases (holder, session, duration, renewed_at, lost, attributes)
        values (p_lease_holder, p_lease_session, p_lease_duration, clock_timestamp(), false, p_lease_attributes)
        on conflict (holder) do update set session = excluded.session, duration = excluded.duration, renewed_at = excluded.renewed_at, lost = false,
                                           attributes = excluded.attributes, incarnation = excluded.incarnation;
    end if;

    -- A change of claim voids the orders that no host has taken yet, before the new ones go in.
    if p_void_group is not null then
        delete from zfsha.messages m where m.group_key = p_void_group and starts_with(m.queue, p_void_queues) and m.attempts = 0;
    end if;

    if p_message_ids is not null then
        insert into zfsha.messages (id, queue, body, due_at)
        select m.id, m.queue, m.body, clock_timestamp() + m.delay
          from unnest(p_message_ids, p_queues, p_messages, p_delays) with ordinality as m (id, queue, body, delay, n)
            on conflict (id) do update -- Ours is there already; or an agent has put something of its own under an id that it foresaw.
               set queue = excluded.queue, body = excluded.body, due_at = excluded.due_at, attempts = 0, failures = 0, retrying = false
             where messages.queue <> excluded.queue or messages.body ->> 'source' is distinct from excluded.body ->> 'source';
    end if;

    for i in 1 .. coalesce(cardinality(p_document_ids), 0) loop
        nothing := zfsha.put_document(p_document_kinds[i], p_document_ids[i], p_documents[i], p_document_types[i], p_document_versions[i], p_recorded_at);
    end loop;
    return 'committed';
end
$$;
