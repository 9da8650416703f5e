-- The functions that Marten 8 and 9 call, with their signatures and error codes (MT001: archived, MT003: another version than expected).

-- What they all come to. The stream's row is locked, so that no two writers draw numbers for one version.
create or replace function zfsha.quick_append(
    p_stream varchar, p_stream_type varchar, p_tenant varchar, p_ids uuid[], p_types varchar[], p_dotnet_types varchar[], p_bodies jsonb[], p_binaries bytea[],
    p_causations varchar[], p_correlations varchar[], p_headers jsonb[], p_users varchar[], p_timestamps timestamptz[], p_expected bigint)
returns bigint[] language plpgsql as
$$
declare
    present bigint;
    archived boolean;
    added integer := coalesce(cardinality(p_ids), 0);
    numbers bigint[];
begin
    insert into zfsha.mt_streams (id, type, version, timestamp, created, tenant_id)
    values (p_stream, p_stream_type, 0, clock_timestamp(), clock_timestamp(), coalesce(p_tenant, '*DEFAULT*')) on conflict do nothing;
    select coalesce(s.version, 0), coalesce(s.is_archived, false) into present, archived from zfsha.mt_streams s where s.id = p_stream for update;
    if archived then
        raise exception 'the stream % is archived', p_stream using errcode = 'MT001';
    elsif p_expected is not null and p_expected <> present then
        raise exception 'the stream % is at version %, not %', p_stream, present, p_expected using errcode = 'MT003';
    end if;

    with added as (
        insert into zfsha.mt_events (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name)
        select nextval('zfsha.mt_events_sequence'), p_ids[n], p_stream, present + n, p_bodies[n], p_binaries[n], p_types[n], coalesce(p_timestamps[n], clock_timestamp()),
               coalesce(p_tenant, '*DEFAULT*'), p_dotnet_types[n], p_correlations[n], p_causations[n], p_headers[n], p_users[n]
          from generate_series(1, added) as n order by n
        returning seq_id)
    select array_agg(a.seq_id order by a.seq_id) into numbers from added a;
    update zfsha.mt_streams set version = present + added, timestamp = clock_timestamp() where id = p_stream;
    return array[present + added] || coalesce(numbers, '{}');
end
$$;

-- Marten 9, with every metadata column; without timestamps in its Quick mode.
create or replace function zfsha.mt_quick_append_events(
    stream varchar, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[], bodies jsonb[], bdatas bytea[],
    causation_ids varchar[], correlation_ids varchar[], headers jsonb[], user_names varchar[], timestamps timestamptz[] default null, expected_version bigint default null)
returns bigint[] language sql as
$$
    select zfsha.quick_append(stream, stream_type, tenantid, event_ids, event_types, dotnet_types, bodies, bdatas, causation_ids, correlation_ids, headers, user_names, timestamps, expected_version)
$$;

-- Marten 8.
create or replace function zfsha.mt_quick_append_events(
    stream varchar, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[], bodies jsonb[],
    causation_ids varchar[], correlation_ids varchar[], headers jsonb[], user_names varchar[], timestamps timestamptz[] default null)
returns int[] language sql as
$$
    select zfsha.quick_append(stream, stream_type, tenantid, event_ids, event_types, dotnet_types, bodies, null, causation_ids, correlation_ids, headers, user_names, timestamps, null)::int[]
$$;

create or replace function zfsha.mt_mark_event_progression(name varchar, last_encountered bigint) returns void language sql as
$$
    insert into zfsha.mt_event_progression as p (name, last_seq_id, last_updated) values ($1, $2, transaction_timestamp())
        on conflict on constraint pk_mt_event_progression do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
$$;

-- Moves the high water mark over a gap if it still stands where it is to be moved from, or does not stand anywhere yet; returns where it stands.
create or replace function zfsha.mt_mark_progression_with_skip(shard_name varchar, ending_sequence bigint, starting_sequence bigint) returns bigint language plpgsql as
$$
begin
    insert into zfsha.mt_event_progression as p (name, last_seq_id, last_updated) values ($1, $2, transaction_timestamp())
        on conflict on constraint pk_mt_event_progression do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated where p.last_seq_id = $3;
    if found and $2 > $3 then
        insert into zfsha.mt_high_water_skips as s (ending_sequence, starting_sequence) values ($2, $3) on conflict do nothing;
    end if;
    return (select p.last_seq_id from zfsha.mt_event_progression p where p.name = $1);
end
$$;

-- With the owner's rights: nobody else may touch a stream's flag, so that an archived stream stays archived. A trigger would cost every append.
create or replace function zfsha.mt_archive_stream(streamid varchar) returns void language sql security definer set search_path = pg_catalog, pg_temp as
$$
    update zfsha.mt_streams set is_archived = true where id = streamid;
    update zfsha.mt_events set is_archived = true where stream_id = streamid and not coalesce(is_archived, false);
$$;
