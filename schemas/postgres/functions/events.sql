-- What holds for every event, whoever writes it: it has its place in the order of reading and of time, and it is there for ever.

-- Readers go by (incarnation, transaction_id, seq_id) below pg_snapshot_xmin. What stands there is never below the writer's own transaction,
-- so nothing becomes readable before it is committed; and never below the version before, which may have been written and committed by
-- a transaction that began later. When the numbers were drawn in the other order, the next transaction's place keeps the versions in theirs.
create or replace function zfsha.place_after(p_incarnation_before integer, p_before xid8, p_drawn_before boolean, p_incarnation integer) returns xid8 language sql volatile as
$$
    select case when p_incarnation_before is distinct from p_incarnation or p_before < pg_current_xact_id() then pg_current_xact_id()
                when p_drawn_before then p_before
                else (p_before::text::numeric + 1)::text::xid8 end
$$;

create or replace function zfsha.place_event() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as
$$
declare
    before record;
begin
    select e.incarnation, e.transaction_id, e.seq_id, e.high_at into before from zfsha.mt_events e
     where e.stream_id = new.stream_id and e.version < new.version order by e.version desc limit 1;
    new.transaction_id := zfsha.place_after(before.incarnation, before.transaction_id, before.seq_id < new.seq_id, new.incarnation);
    new.high_at := greatest(before.high_at, new.observed_at);
    new.host := new.headers ->> 'host';
    new.by_others := true;
    if new.high_at > new.observed_at + interval '10 minutes' then
        insert into zfsha.late_events (stream_id, observed_at, version) values (new.stream_id, new.observed_at, new.version);
    end if;
    return new;
end
$$;
create or replace trigger place_event before insert on zfsha.mt_events for each row when (new.transaction_id is null) execute function zfsha.place_event();

create or replace function zfsha.keep_events() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as
$$
declare
    archived zfsha.mt_events := old;
begin
    archived.is_archived := true;
    if tg_op = 'UPDATE' and not coalesce(old.is_archived, false) and new is not distinct from archived then
        return new;
    end if;
    raise exception 'events are never changed or deleted' using errcode = 'ZE001', hint = 'Only is_archived may be set, by mt_archive_stream.';
end
$$;
create or replace trigger keep_events before update or delete on zfsha.mt_events for each row execute function zfsha.keep_events();

create or replace function zfsha.keep_all_events() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as
$$
begin
    raise exception 'events are never changed or deleted' using errcode = 'ZE001';
end
$$;
create or replace trigger keep_all_events before truncate on zfsha.mt_events for each statement execute function zfsha.keep_all_events();

-- What stands in the streams' rows of their last places is of the incarnation that ended.
create or replace function zfsha.forget_tails() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as
$$
begin
    update zfsha.mt_streams set tail_version = null where tail_version is not null;
    return null;
end
$$;
create or replace trigger forget_tails after insert on zfsha.incarnations for each statement execute function zfsha.forget_tails();

-- A history that does not go on where the recorded one left off is another one: hosts open new sessions, and orders of the old one are refused.
create or replace function zfsha.begin_incarnation(p_reason text) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as
$$
declare
    began integer;
begin
    -- Whoever is writing now writes into the old one, to the end; whoever has yet to write learns of the new one. commit_stream writes to the stream's row
    -- before it asks which one it is, everybody else asks while writing the event.
    lock table zfsha.mt_streams in exclusive mode;
    lock table zfsha.mt_events in exclusive mode;
    insert into zfsha.incarnations (ordinal, reason, whereabouts) select max(i.ordinal) + 1, p_reason, zfsha.whereabouts() from zfsha.incarnations i returning ordinal into began;
    return began;
end
$$;

-- Which PostgreSQL this is, which database in it, and on which timeline: a restored dump, a copied database and a promoted standby each differ; a
-- copied data directory does not.
create or replace function zfsha.whereabouts() returns text language sql volatile as
$$
    select concat_ws('/', (select c.system_identifier from pg_control_system() c), (select d.oid from pg_database d where d.datname = current_database()),
                     left(pg_walfile_name(pg_current_wal_lsn()), 8))
$$;

-- Returns the number of the incarnation that goes on from here, beginning one if need be.
create or replace function zfsha.settle_incarnation() returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as
$$
declare
    here text := zfsha.whereabouts();
    last zfsha.incarnations;
begin
    select i.* into last from zfsha.incarnations i order by i.ordinal desc limit 1;
    if last.whereabouts = here then
        return last.ordinal;
    end if;
    lock table zfsha.incarnations in share row exclusive mode; -- One server after the other.
    select i.* into last from zfsha.incarnations i order by i.ordinal desc limit 1;
    if last.whereabouts is null then
        update zfsha.incarnations set whereabouts = here where ordinal = last.ordinal;
        return last.ordinal;
    elsif last.whereabouts = here then
        return last.ordinal;
    end if;
    return zfsha.begin_incarnation(format('the database is at %s now and was at %s: restored or promoted', here, last.whereabouts));
end
$$;
