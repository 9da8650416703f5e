-- Events in Marten's tables: names, columns and constraints are Marten 8's and 9's (single tenancy, string stream keys), so that
-- a Marten application with AutoCreate.None reads and appends to these streams as they stand. What is ours is additive.

create schema if not exists zfsha;

-- One row per history. Restoring a backup starts a new one, because transaction ids begin anew then.
create table if not exists zfsha.incarnations (
    ordinal    integer     not null primary key,
    id         uuid        not null default gen_random_uuid(),
    started_at timestamptz not null default clock_timestamp(),
    reason     text        not null
);
insert into zfsha.incarnations (ordinal, reason) values (1, 'first') on conflict do nothing;

create or replace function zfsha.current_incarnation() returns integer language sql stable as
$$ select max(ordinal) from zfsha.incarnations $$;

create table if not exists zfsha.mt_streams (
    id               varchar     not null,
    type             varchar     null,
    version          bigint      null,
    timestamp        timestamptz not null default (now()),
    snapshot         jsonb       null,
    snapshot_version integer     null,
    created          timestamptz not null default (now()),
    tenant_id        varchar     null default '*DEFAULT*',
    is_archived      bool        null default false,
    constraint pkey_mt_streams_id primary key (id)
);

create sequence if not exists zfsha.mt_events_sequence;

create table if not exists zfsha.mt_events (
    seq_id         bigint       not null,
    id             uuid         not null,
    stream_id      varchar      null,
    version        bigint       not null,
    data           jsonb        not null,
    bdata          bytea        null,
    type           varchar(500) not null,
    timestamp      timestamptz  not null default (now()),
    tenant_id      varchar      null default '*DEFAULT*',
    mt_dotnet_type varchar      null,
    correlation_id varchar      null,
    causation_id   varchar      null,
    headers        jsonb        null,
    user_name      varchar      null,
    is_archived    bool         null default false,
    -- Ours. Readers go by (incarnation, transaction_id, seq_id) below pg_snapshot_xmin, which skips nothing.
    transaction_id xid8         not null default pg_current_xact_id(),
    incarnation    integer      not null default zfsha.current_incarnation(),
    observed_at    timestamptz  not null default clock_timestamp(),
    constraint pkey_mt_events_seq_id primary key (seq_id),
    constraint fkey_mt_events_stream_id foreign key (stream_id) references zfsha.mt_streams (id) on delete cascade
);
alter sequence zfsha.mt_events_sequence owned by zfsha.mt_events.seq_id;

create unique index if not exists pk_mt_events_stream_and_version on zfsha.mt_events (stream_id, version);
create index if not exists ix_events_transaction on zfsha.mt_events (incarnation, transaction_id, seq_id);
create index if not exists ix_events_observed on zfsha.mt_events (stream_id, observed_at);

create table if not exists zfsha.mt_event_progression (
    name         varchar     not null,
    last_seq_id  bigint      null,
    last_updated timestamptz null default (transaction_timestamp()),
    constraint pk_mt_event_progression primary key (name)
);

-- Inline views, as documents in Marten's layout; the SQL views over them are for people and dashboards.
do $$
declare
    kind text;
begin
    foreach kind in array array['poolownership', 'dossier', 'alert', 'hostview'] loop
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
