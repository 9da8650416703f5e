-- One round trip, one commit: the version is checked before anything is written; then the handled message goes, the events, the
-- inline documents and the outgoing messages come. Returns what became of it; everything but 'committed' and 'duplicate' leaves
-- the database as it was.

create or replace function zfsha.commit_stream(
    p_stream text, p_stream_type text, p_expected bigint, p_recorded_at timestamptz,
    p_ids uuid[], p_types text[], p_dotnet_types text[], p_bodies jsonb[], p_headers jsonb[], p_observed timestamptz[], p_users text[],
    p_correlations text[], p_causation text,
    p_handled_id uuid, p_handled_attempts integer, p_handled_key text,
    p_message_ids uuid[], p_queues text[], p_messages jsonb[], p_delays interval[],
    p_void_group text, p_void_queues text,
    p_document_kinds text[], p_document_ids text[], p_documents jsonb[], p_document_types text[], p_document_versions bigint[],
    p_lease_change text, p_lease_holder text, p_lease_session uuid, p_lease_duration interval, p_lease_attributes jsonb)
returns text language plpgsql as
$$
declare
    current_version bigint;
    archived boolean;
    added integer := coalesce(cardinality(p_ids), 0);
    i integer;
begin
    -- Checks first; they lock what they read and write nothing.
    if p_handled_id is not null then
        perform 1 from zfsha.messages where id = p_handled_id and attempts = p_handled_attempts for update;
        if not found then
            return 'not_ours';
        end if;
    end if;
    if p_handled_key is not null and exists (select 1 from zfsha.handled_messages where key = p_handled_key) then
        delete from zfsha.messages where id = p_handled_id;
        return 'duplicate';
    end if;
    if added > 0 and p_expected = 0 then
        insert into zfsha.mt_streams (id, type, version, timestamp, created)
        values (p_stream, p_stream_type, 0, p_recorded_at, p_recorded_at) on conflict do nothing;
    end if;
    select s.version, coalesce(s.is_archived, false) into current_version, archived from zfsha.mt_streams s where s.id = p_stream for update;
    if coalesce(current_version, 0) <> p_expected then
        return 'conflict';
    end if;
    if archived and added > 0 then
        return 'archived';
    end if;

    delete from zfsha.messages where id = p_handled_id;
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
        on conflict (holder) do update
           set session = excluded.session, duration = excluded.duration, renewed_at = excluded.renewed_at, lost = false, attributes = excluded.attributes;
    end if;

    if added > 0 then
        insert into zfsha.mt_events
            (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, observed_at)
        select nextval('zfsha.mt_events_sequence'), e.id, p_stream, p_expected + e.n, e.body, e.type, p_recorded_at, e.dotnet_type,
               e.correlation, p_causation, e.headers, e.user_name, e.observed
          from unnest(p_ids, p_types, p_dotnet_types, p_bodies, p_headers, p_observed, p_users, p_correlations)
               with ordinality as e (id, type, dotnet_type, body, headers, observed, user_name, correlation, n)
         order by e.n;
        update zfsha.mt_streams set version = p_expected + added, timestamp = p_recorded_at where id = p_stream;
    end if;

    -- A change of claim voids the orders that no host has taken yet, before the new ones go in.
    if p_void_group is not null then
        delete from zfsha.messages where group_key = p_void_group and starts_with(queue, p_void_queues) and attempts = 0;
    end if;

    if coalesce(cardinality(p_message_ids), 0) > 0 then
        insert into zfsha.messages (id, queue, body, due_at)
        select m.id, m.queue, m.body, clock_timestamp() + m.delay
          from unnest(p_message_ids, p_queues, p_messages, p_delays) with ordinality as m (id, queue, body, delay, n)
         order by m.n
            on conflict (id) do nothing;
    end if;

    for i in 1 .. coalesce(cardinality(p_document_ids), 0) loop
        execute format(
            'insert into zfsha.%I (id, data, mt_last_modified, mt_dotnet_type, mt_version) values ($1, $2, $3, $4, $5)
             on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_version = excluded.mt_version',
            'mt_doc_' || p_document_kinds[i])
        using p_document_ids[i], p_documents[i], p_recorded_at, p_document_types[i], p_document_versions[i];
    end loop;
    return 'committed';
end
$$;
