-- For people, SQL and dashboards. The documents are the truth the service reads; these only flatten them.

create or replace view zfsha.pool_ownership as
select id as pool_guid, data ->> 'Name' as pool, data ->> 'Holder' as holder, data ->> 'Claimant' as claimant, (data ->> 'Epoch')::bigint as epoch,
       data ->> 'Health' as health, (data ->> 'Verified')::boolean as verified, data -> 'Conflict' as conflict, data ->> 'Halt' as halt,
       data ->> 'Move' as move, mt_version as version, mt_last_modified as changed_at
  from zfsha.mt_doc_poolownership;

create or replace view zfsha.failovers as
select id, data ->> 'Kind' as kind, data ->> 'Pool' as pool_guid, data ->> 'PoolName' as pool, data ->> 'State' as state, data ->> 'From' as from_host,
       data ->> 'To' as to_host, data ->> 'RequestedBy' as requested_by, data ->> 'Reason' as reason, data ->> 'Outcome' as outcome,
       (data ->> 'StartedAt')::timestamptz as started_at, (data ->> 'EndedAt')::timestamptz as ended_at
  from zfsha.mt_doc_dossier;

-- A barrier: whoever may read this one sees no other stream through a condition of his own either.
create or replace view zfsha.pool_history with (security_barrier) as
select e.stream_id, substring(e.stream_id from 6) as pool_guid, e.version, e.observed_at, e.timestamp as recorded_at, e.type, e.host::text as host,
       e.user_name as actor, e.correlation_id as request, e.causation_id as message_id, e.id as event_id, e.data
  from zfsha.mt_events e
 where e.stream_id like 'pool-%';

create or replace view zfsha.pool_activity as
select id as pool_guid, data ->> 'Name' as pool, (data ->> 'Events')::bigint as events, (data ->> 'FirstAt')::timestamptz as first_at, (data ->> 'LastAt')::timestamptz as last_at,
       (data ->> 'Imports')::bigint as imports, (data ->> 'Exports')::bigint as exports, (data ->> 'Refused')::bigint as refused, (data ->> 'Failed')::bigint as failed,
       (data ->> 'Switchovers')::bigint as switchovers, (data ->> 'Failovers')::bigint as failovers, (data ->> 'Halts')::bigint as halts,
       (data ->> 'Conflicts')::bigint as conflicts, (data ->> 'LastMovedAt')::timestamptz as last_moved_at, data -> 'ByHost' as by_host, mt_last_modified as changed_at
  from zfsha.mt_doc_poolactivity;
