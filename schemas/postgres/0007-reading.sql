-- Readers that lose nothing, their places, and what a history page is found by.

-- A trigger fills it: the writer's own transaction, or that of the version before if that is later. See functions/events.sql.
alter table zfsha.mt_events alter column transaction_id drop default;

-- The host that saw or did it, out of the headers. A generated column would say so more simply, at a tenth of what an append costs.
alter table zfsha.mt_events add column if not exists host varchar null;
create index if not exists ix_events_type on zfsha.mt_events (stream_id, type, version);
create index if not exists ix_events_host on zfsha.mt_events (stream_id, host, version);

-- The latest instant observed up to this version of its stream: never falls from version to version, so that an instant is found by halving. What was
-- observed more than ten minutes before it, being told late, stands in a list of its own: an index of few would cost every event its condition.
alter table zfsha.mt_events add column if not exists high_at timestamptz null;
update zfsha.mt_events e
   set high_at = h.high_at, host = e.headers ->> 'host'
  from (select m.seq_id, max(m.observed_at) over (partition by m.stream_id order by m.version) as high_at from zfsha.mt_events m) h
 where h.seq_id = e.seq_id and e.high_at is null;
alter table zfsha.mt_events alter column high_at set not null;
drop index if exists zfsha.ix_events_observed;
create table if not exists zfsha.late_events (
    stream_id   varchar     not null,
    observed_at timestamptz not null,
    version     bigint      not null,
    primary key (stream_id, observed_at, version)
);
insert into zfsha.late_events (stream_id, observed_at, version)
select e.stream_id, e.observed_at, e.version from zfsha.mt_events e where e.high_at > e.observed_at + interval '10 minutes' on conflict do nothing;

-- What commit_stream wrote last, so that it need not look up the version before; worth nothing when others have appended since, or in another incarnation.
alter table zfsha.mt_streams
    add column if not exists tail_version        bigint      null,
    add column if not exists tail_incarnation    integer     null,
    add column if not exists tail_transaction_id xid8        null,
    add column if not exists tail_high_at        timestamptz null,
    add column if not exists tail_high_before    timestamptz null; -- Before the last commit.

-- Written past us: our own way of appending says false by saying nothing. What others write, our inline views have yet to take in.
alter table zfsha.mt_events add column if not exists by_others boolean not null default false;

-- A reader's place beside Marten's own last_seq_id, who reads, and whether it may.
alter table zfsha.mt_event_progression
    add column if not exists incarnation    integer     null,
    add column if not exists transaction_id xid8        null,
    add column if not exists runner         uuid        null,
    add column if not exists runner_until   timestamptz null,
    add column if not exists paused_at      timestamptz null,
    add column if not exists paused_by      text        null;

-- Streams that a reader could not take in: from this version on it has skipped them.
create table if not exists zfsha.parked_streams (
    name      varchar     not null references zfsha.mt_event_progression (name) on update cascade on delete cascade,
    stream_id varchar     not null,
    version   bigint      not null,
    type      varchar     not null,
    error     text        not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (name, stream_id)
);

-- What each pool has been through, in numbers; and the same while it is made anew.
do $$
declare
    kind text;
begin
    foreach kind in array array['poolactivity', 'poolactivity_rebuild'] loop
        execute format(
            'create table if not exists zfsha.%1$I (
                id               varchar     not null,
                data             jsonb       not null,
                mt_last_modified timestamptz null default (transaction_timestamp()),
                mt_dotnet_type   varchar     null,
                mt_version       bigint      not null default 0,
                constraint %2$I primary key (id))',
            'mt_doc_' || kind, 'pkey_mt_doc_' || kind || '_id');
    end loop;
end $$;

-- These rows change again and again, none of their indexed columns does: room for the next version on the same page.
do $$
declare
    name text;
begin
    foreach name in array array['mt_streams', 'mt_doc_poolownership', 'mt_doc_dossier', 'mt_doc_alert', 'mt_doc_hostview', 'mt_doc_poolactivity', 'leases', 'messages'] loop
        execute format('alter table zfsha.%I set (fillfactor = 60)', name);
    end loop;
end $$;
