-- Readers that lose nothing, their places, and what a history page is found by.

-- A trigger fills it: the writer's own transaction, or that of the version before if that is later. See functions/events.sql.
alter table zfsha.mt_events alter column transaction_id drop default;

-- The host that saw or did it.
alter table zfsha.mt_events add column if not exists host varchar null generated always as (headers ->> 'host') stored;
create index if not exists ix_events_type on zfsha.mt_events (stream_id, type, observed_at);
create index if not exists ix_events_host on zfsha.mt_events (stream_id, host, observed_at);

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

-- A stream's row changes with every append: room for its next version on the same page.
alter table zfsha.mt_streams set (fillfactor = 80);
