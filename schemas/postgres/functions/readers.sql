-- Readers: each has a name, a place, and at any time at most one runner among all servers.

-- Makes the caller the reader's runner for so long, or keeps it so. No row: another one is, or the reader is paused. Not kept: somebody ran it or
-- saw to its documents since the caller did, and what the caller remembers of them is void.
drop function if exists zfsha.take_reader(text, uuid, interval);
create function zfsha.take_reader(p_name text, p_runner uuid, p_lease interval)
returns table (incarnation integer, transaction_id xid8, seq_id bigint, kept boolean) language plpgsql as
$$
declare
    former uuid;
begin
    if p_name not like '%:Rebuild' then -- That row is there as long as the rebuild is.
        insert into zfsha.mt_event_progression (name, last_seq_id) values (p_name, 0) on conflict do nothing;
    end if;
    select p.runner into former from zfsha.mt_event_progression p where p.name = p_name for update;
    return query
        update zfsha.mt_event_progression p
           set runner = p_runner, runner_until = clock_timestamp() + p_lease
         where p.name = p_name and p.paused_at is null and (p.runner is null or p.runner = p_runner or p.runner_until < clock_timestamp())
        returning coalesce(p.incarnation, 0), coalesce(p.transaction_id, '0'), coalesce(p.last_seq_id, 0), former is not distinct from p_runner;
end
$$;

-- Hands the reader to whoever asks next.
create or replace function zfsha.leave_reader(p_name text, p_runner uuid) returns void language sql as
$$ update zfsha.mt_event_progression set runner = null, runner_until = null where name = p_name and runner = p_runner $$;

-- Moves the reader from one place to another, with the documents that follow from what lies between and the streams that could not be taken in.
-- False, and nothing written: another one is the runner by now, the reader is paused, or it stands elsewhere.
create or replace function zfsha.advance_reader(
    p_name text, p_runner uuid, p_lease interval, p_incarnation integer, p_from xid8, p_from_seq bigint, p_to_incarnation integer, p_to xid8, p_to_seq bigint,
    p_kind text, p_ids text[], p_documents jsonb[], p_versions bigint[], p_type text,
    p_parked text[], p_parked_versions bigint[], p_parked_types text[], p_errors text[])
returns boolean language plpgsql as
$$
begin
    update zfsha.mt_event_progression p
       set incarnation = p_to_incarnation, transaction_id = p_to, last_seq_id = p_to_seq, last_updated = clock_timestamp(), runner_until = clock_timestamp() + p_lease
     where p.name = p_name and p.runner = p_runner and p.paused_at is null
       and coalesce(p.incarnation, 0) = p_incarnation and coalesce(p.transaction_id, '0') = p_from and coalesce(p.last_seq_id, 0) = p_from_seq;
    if not found then
        return false;
    end if;
    if cardinality(p_ids) > 0 then
        execute format(
            'insert into zfsha.%I (id, data, mt_last_modified, mt_dotnet_type, mt_version)
             select d.id, d.data, clock_timestamp(), $4, d.version from unnest($1, $2, $3) as d (id, data, version)
                 on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_version = excluded.mt_version', 'mt_doc_' || p_kind)
        using p_ids, p_documents, p_versions, p_type;
    end if;
    if cardinality(p_parked) > 0 then
        insert into zfsha.parked_streams (name, stream_id, version, type, error)
        select p_name, s.stream, s.version, s.type, s.error from unnest(p_parked, p_parked_versions, p_parked_types, p_errors) as s (stream, version, type, error)
            on conflict (name, stream_id) do nothing;
    end if;
    return true;
end
$$;

-- What was made anew takes the place of what readers have read until now, all of it at once.
create or replace function zfsha.finish_rebuild(p_name text, p_rebuild text, p_kind text, p_runner uuid) returns boolean language plpgsql as
$$
declare
    made zfsha.mt_event_progression;
begin
    select p.* into made from zfsha.mt_event_progression p where p.name = p_rebuild and p.runner = p_runner and p.paused_at is null for update;
    if not found then
        return false;
    end if;
    insert into zfsha.mt_event_progression as p (name, last_seq_id) values (p_name, 0) on conflict do nothing;
    update zfsha.mt_event_progression p
       set incarnation = made.incarnation, transaction_id = made.transaction_id, last_seq_id = made.last_seq_id, last_updated = clock_timestamp(), runner = null
     where p.name = p_name;
    execute format('delete from zfsha.%I', 'mt_doc_' || p_kind);
    execute format('insert into zfsha.%I select * from zfsha.%I', 'mt_doc_' || p_kind, 'mt_doc_' || p_kind || '_rebuild');
    execute format('delete from zfsha.%I', 'mt_doc_' || p_kind || '_rebuild');
    delete from zfsha.parked_streams s where s.name = p_name;
    update zfsha.parked_streams s set name = p_name where s.name = p_rebuild;
    delete from zfsha.mt_event_progression p where p.name = p_rebuild or p.name <> p_name and starts_with(p.name, split_part(p_name, ':', 1) || ':'); -- And those of former versions.
    return true;
end
$$;

-- How far behind each reader is. Counting stops at ten thousand.
create or replace view zfsha.reader_lag as
select p.name, p.last_seq_id, p.last_updated, p.runner, (p.runner is not null and p.runner_until > clock_timestamp()) as running, p.paused_at, p.paused_by,
       behind.events as events_behind, coalesce(extract(epoch from clock_timestamp() - behind.oldest), 0)::double precision as seconds_behind,
       (select count(*) from zfsha.parked_streams s where s.name = p.name) as parked_streams
  from zfsha.mt_event_progression p
 cross join lateral (select count(*) as events, min(e.timestamp) as oldest
                       from (select timestamp from zfsha.mt_events m
                              where (m.incarnation, m.transaction_id, m.seq_id) > (coalesce(p.incarnation, 0), coalesce(p.transaction_id, '0'), coalesce(p.last_seq_id, 0))
                              order by m.incarnation, m.transaction_id, m.seq_id limit 10000) e) behind
 where p.incarnation is not null or p.runner is not null or p.paused_at is not null; -- The others are a Marten application's.

-- Transactions that have written, or may yet, and are not over: no reader goes past the oldest of them.
create or replace view zfsha.holding_back as
select a.pid, a.usename as login, a.application_name as application, a.datname as database, a.state, a.xact_start as began_at,
       extract(epoch from clock_timestamp() - a.xact_start)::double precision as seconds, left(a.query, 1000) as query
  from pg_stat_activity a where a.backend_xid is not null and a.pid <> pg_backend_pid()
union all
select null, x.owner, 'prepared transaction ' || x.gid, x.database, 'prepared', x.prepared, extract(epoch from clock_timestamp() - x.prepared)::double precision, null
  from pg_prepared_xacts x
 order by began_at;
