-- A lease is a host's promise to be alive, timed by this database's clock alone.

create table if not exists zfsha.leases (
    holder     text        not null primary key,
    session    uuid        not null,
    duration   interval    not null,
    renewed_at timestamptz not null,
    lost       boolean     not null default false,
    attributes jsonb       not null
);

-- When the watch itself missed its beat (this database was down or frozen, or every server was), nobody could renew or be
-- watched: every lease gets its full time again, from grace_from on.
create table if not exists zfsha.lease_watch (
    only_row   boolean     not null primary key default true check (only_row),
    ticked_at  timestamptz not null,
    grace_from timestamptz not null
);
insert into zfsha.lease_watch (ticked_at, grace_from) values (clock_timestamp(), clock_timestamp()) on conflict do nothing;

-- The moment until which a lease is good.
create or replace function zfsha.lease_end(lease zfsha.leases) returns timestamptz language sql stable as
$$ select greatest(lease.renewed_at, w.grace_from, pg_postmaster_start_time()) + lease.duration from zfsha.lease_watch w $$;

-- Alive until the watch has said otherwise: it alone knows of its own gaps. Judged here, a decision in the first moment after a stall of
-- everything would take every host for dead.
create or replace view zfsha.leases_now as
select l.holder, l.session, l.duration, l.renewed_at, l.lost, l.attributes, not l.lost as alive
from zfsha.leases l;

-- A beat of the watch: notices its own gaps, then returns the leases that ran out.
create or replace function zfsha.watch_leases(gap interval)
returns table (holder text, session uuid, renewed_at timestamptz, lease_seconds double precision) language plpgsql as
$$
begin
    update zfsha.lease_watch w
       set grace_from = case when clock_timestamp() - w.ticked_at > gap then clock_timestamp() else w.grace_from end,
           ticked_at = clock_timestamp()
     where clock_timestamp() - w.ticked_at > interval '250 milliseconds'; -- Ten beats a second need not be ten commits.
    return query
        select l.holder, l.session, l.renewed_at, extract(epoch from l.duration)::double precision
          from zfsha.leases l
         where not l.lost and clock_timestamp() > zfsha.lease_end(l);
end
$$;

-- Renews a lease. False when it is lost or belongs to another session: then a new session must be opened.
create or replace function zfsha.renew_lease(p_holder text, p_session uuid) returns boolean language sql as
$$
    update zfsha.leases set renewed_at = clock_timestamp() where holder = p_holder and session = p_session and not lost returning true
$$;
