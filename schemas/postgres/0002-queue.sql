-- The durable queue. A foreign program puts a CloudEvents 1.0 message on the bus with
--   insert into zfsha.messages (body) values ('{"specversion":"1.0","id":"...","source":"...","type":"zfsha.pool.switchover","data":{...}}');

create table if not exists zfsha.messages (
    position    bigint      not null generated always as identity,
    id          uuid        not null default gen_random_uuid() primary key,
    queue       text        not null default 'server',
    body        jsonb       not null,
    -- Messages of one group are handled one after the other: by default those on one subject.
    group_key   text        null generated always as (body ->> 'subject') stored,
    due_at      timestamptz not null default clock_timestamp(),
    attempts    integer     not null default 0,
    last_error  text        null,
    enqueued_at timestamptz not null default clock_timestamp()
);
create index if not exists ix_messages_queue on zfsha.messages (queue, position);
create index if not exists ix_messages_group on zfsha.messages (queue, group_key, position);

-- Ids of messages dealt with, so that a repeat is noticed.
create table if not exists zfsha.handled_messages (
    key        text        not null primary key,
    handled_at timestamptz not null default clock_timestamp()
);

create table if not exists zfsha.dead_letters (
    id          uuid        not null primary key,
    queue       text        not null,
    body        jsonb       not null,
    attempts    integer     not null,
    reason      text        not null,
    detail      text        not null,
    enqueued_at timestamptz not null,
    dead_at     timestamptz not null default clock_timestamp()
);
