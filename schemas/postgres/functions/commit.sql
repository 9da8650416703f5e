-- One round trip, one commit: the version is checked before anything is written and before any number is drawn; then the handled message goes,
-- the events, the inline documents and the outgoing messages come. Returns what became of it; everything but 'committed' and 'duplicate' leaves
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
    stream zfsha.mt_streams;
    before record;
    added integer := coalesce(cardinality(p_ids), 0);
    history integer;
    place xid8;
    high timestamptz;
begin
    if p_handled_key is not null and exists (select from zfsha.handled_messages h where h.key = p_handled_key) then
        delete from zfsha.messages m where m.id = p_handled_id and m.attempts = p_handled_attempts;
        return case when found or p_handled_id is null then 'duplicate' else 'not_ours' end;
    end if;

    -- The stream's row, which also makes writers wait for each other.
    if added > 0 and p_expected = 0 then
        insert into zfsha.mt_streams (id, type, version, timestamp, created)
        values (p_stream, p_stream_type, added, p_recorded_at, p_recorded_at) on conflict do nothing;
    elsif added > 0 then
        update zfsha.mt_streams s set version = p_expected + added, timestamp = p_recorded_at
         where s.id = p_stream and s.version = p_expected and not coalesce(s.is_archived, false);
    end if;
    if added = 0 or not found then
        select s.* into stream from zfsha.mt_streams s where s.id = p_stream for update;
        if coalesce(stream.version, 0) <> p_expected then
            return 'conflict';
        elsif added > 0 and coalesce(stream.is_archived, false) then
            return 'archived';
        elsif added > 0 then -- A row without events, as a foreign writer may leave one behind; or one that came to this version in this moment.
            update zfsha.mt_streams s set version = p_expected + added, timestamp = p_recorded_at where s.id = p_stream;
        end if;
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

    if added > 0 then
        -- As place_event does it for everybody else, once for all. Numbers are drawn after this, hence after those of the version before.
        place := pg_current_xact_id();
        if p_expected = 0 then
            history := zfsha.current_incarnation();
        else
            select e.incarnation, e.transaction_id, e.high_at, (select max(i.ordinal) from zfsha.incarnations i) as history into before
              from zfsha.mt_events e where e.stream_id = p_stream and e.version = p_expected;
            history := coalesce(before.history, zfsha.current_incarnation());
            high := before.high_at;
            if before.incarnation = history and before.transaction_id > place then
                place := before.transaction_id;
            end if;
        end if;
        if added <= 3 then -- Rows one by one cost less than setting up for many.
            for i in 1 .. added loop
                high := greatest(high, p_observed[i]);
                insert into zfsha.mt_events
                    (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, host, observed_at, high_at, transaction_id, incarnation)
                values (nextval('zfsha.mt_events_sequence'), p_ids[i], p_stream, p_expected + i, p_bodies[i], p_types[i], p_recorded_at, p_dotnet_types[i],
                        p_correlations[i], p_causation, p_headers[i], p_users[i], p_headers[i] ->> 'host', p_observed[i], high, place, history);
            end loop;
        else
            insert into zfsha.mt_events
                (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, host, observed_at, high_at, transaction_id, incarnation)
            select nextval('zfsha.mt_events_sequence'), e.id, p_stream, p_expected + e.n, e.body, e.type, p_recorded_at, e.dotnet_type,
                   e.correlation, p_causation, e.headers, e.user_name, e.headers ->> 'host', e.observed, greatest(high, max(e.observed) over (order by e.n)), place, history
              from unnest(p_ids, p_types, p_dotnet_types, p_bodies, p_headers, p_observed, p_users, p_correlations)
                   with ordinality as e (id, type, dotnet_type, body, headers, observed, user_name, correlation, n);
        end if;
    end if;

    -- A change of claim voids the orders that no host has taken yet, before the new ones go in.
    if p_void_group is not null then
        delete from zfsha.messages m where m.group_key = p_void_group and starts_with(m.queue, p_void_queues) and m.attempts = 0;
    end if;

    if cardinality(p_message_ids) > 0 then
        insert into zfsha.messages (id, queue, body, due_at)
        select m.id, m.queue, m.body, clock_timestamp() + m.delay
          from unnest(p_message_ids, p_queues, p_messages, p_delays) with ordinality as m (id, queue, body, delay, n)
            on conflict (id) do update -- Ours is there already; or an agent has put something of its own under an id that it foresaw.
               set queue = excluded.queue, body = excluded.body, due_at = excluded.due_at, attempts = 0, failures = 0, retrying = false
             where messages.queue <> excluded.queue or messages.body ->> 'source' is distinct from excluded.body ->> 'source';
    end if;

    for i in 1 .. coalesce(cardinality(p_document_ids), 0) loop
        perform zfsha.put_document(p_document_kinds[i], p_document_ids[i], p_documents[i], p_document_types[i], p_document_versions[i], p_recorded_at);
    end loop;
    return 'committed';
end
$$;
