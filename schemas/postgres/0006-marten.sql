-- What else a Marten application with its own asynchronous daemon reads and writes.

create table if not exists zfsha.mt_high_water_skips (
    ending_sequence   bigint      not null,
    starting_sequence bigint      not null,
    timestamp         timestamptz null default (transaction_timestamp()),
    constraint pkey_mt_high_water_skips_ending_sequence primary key (ending_sequence)
);

create table if not exists zfsha.mt_doc_deadletterevent (
    id               uuid        not null,
    data             jsonb       not null,
    mt_last_modified timestamptz null default (transaction_timestamp()),
    mt_version       uuid        not null default (md5(random()::text || clock_timestamp()::text)::uuid),
    mt_dotnet_type   varchar     null,
    constraint pkey_mt_doc_deadletterevent_id primary key (id)
);
