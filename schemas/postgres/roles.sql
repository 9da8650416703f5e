-- Who may do what. Group roles without login: a login becomes a member of one of them. They belong to the whole cluster, so they are made only
-- where they are missing, and nothing is granted that a former version granted and this one does not.
--   zfsha_server   the control plane: appends, and never changes or deletes an event
--   zfsha_agent    the agents: each its own host's queue, reports and lease; zfsha.agent_logins says which login is which host's
--   zfsha_reader   people, SQL, dashboards: the views
--   zfsha_marten   a Marten application: reads, aggregates, subscribes, appends; no DDL
-- Whoever applied the schema owns it.

do $$
declare
    name text;
begin
    foreach name in array array['zfsha_server', 'zfsha_agent', 'zfsha_reader', 'zfsha_marten'] loop
        if not exists (select from pg_roles r where r.rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then
                null; -- Made for another database of this cluster in this moment.
            end;
        end if;
    end loop;
    -- To tell what holds readers back, one must see what other logins run.
    if not pg_has_role('zfsha_server', 'pg_read_all_stats', 'member') then
        begin
            grant pg_read_all_stats to zfsha_server;
        exception when insufficient_privilege or unique_violation or internal_error then
            raise notice 'zfsha_server does not become a member of pg_read_all_stats (%); what other logins run stays hidden from it', sqlerrm;
        end;
    end if;
end $$;

revoke all on schema zfsha from public, zfsha_server, zfsha_agent, zfsha_reader, zfsha_marten;
revoke all on all tables in schema zfsha from public, zfsha_server, zfsha_agent, zfsha_reader, zfsha_marten;
revoke all on all sequences in schema zfsha from public, zfsha_server, zfsha_agent, zfsha_reader, zfsha_marten;
revoke all on all functions in schema zfsha from public, zfsha_server, zfsha_agent, zfsha_reader, zfsha_marten;
grant usage on schema zfsha to zfsha_server, zfsha_agent, zfsha_reader, zfsha_marten;

grant select on all tables in schema zfsha to zfsha_server;
grant insert on zfsha.mt_streams, zfsha.mt_events, zfsha.late_events to zfsha_server;
grant update (version, timestamp, tail_version, tail_incarnation, tail_transaction_id, tail_high_at, tail_high_before) on zfsha.mt_streams to zfsha_server;
grant update (is_archived) on zfsha.mt_events to zfsha_server;
grant insert, update, delete on zfsha.mt_event_progression, zfsha.parked_streams, zfsha.messages, zfsha.handled_messages, zfsha.dead_letters, zfsha.leases, zfsha.lease_watch,
    zfsha.mt_doc_poolownership, zfsha.mt_doc_dossier, zfsha.mt_doc_alert, zfsha.mt_doc_hostview, zfsha.mt_doc_poolactivity, zfsha.mt_doc_poolactivity_rebuild to zfsha_server;
grant usage on all sequences in schema zfsha to zfsha_server;
grant execute on all functions in schema zfsha to zfsha_server;

grant select on zfsha.incarnations to zfsha_agent;
grant execute on function zfsha.current_incarnation(), zfsha.renew_lease(text, uuid), zfsha.send_messages(uuid[], text[], jsonb[], interval[], uuid),
    zfsha.claim_messages(text, integer, interval, text[]), zfsha.extend_messages(uuid[], integer[], interval), zfsha.retry_message(uuid, integer, integer, interval, text),
    zfsha.bury_message(uuid, integer, text, text) to zfsha_agent;

grant select on zfsha.pool_history, zfsha.pool_ownership, zfsha.failovers, zfsha.pool_activity to zfsha_reader;

grant select on zfsha.incarnations, zfsha.mt_streams, zfsha.mt_events, zfsha.mt_event_progression, zfsha.mt_high_water_skips, zfsha.mt_doc_deadletterevent,
    zfsha.mt_doc_poolownership, zfsha.mt_doc_dossier, zfsha.mt_doc_alert, zfsha.mt_doc_hostview, zfsha.mt_doc_poolactivity to zfsha_marten;
grant insert (id, type, version, timestamp, snapshot, snapshot_version, created, tenant_id, is_archived),
    update (type, version, timestamp, snapshot, snapshot_version, created, tenant_id) on zfsha.mt_streams to zfsha_marten;
grant insert (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived)
    on zfsha.mt_events to zfsha_marten;
grant update (is_archived) on zfsha.mt_events to zfsha_marten;
grant insert, delete, update on zfsha.mt_high_water_skips, zfsha.mt_doc_deadletterevent to zfsha_marten;
grant insert (name, last_seq_id, last_updated), update (name, last_seq_id, last_updated) on zfsha.mt_event_progression to zfsha_marten;
grant delete on zfsha.mt_event_progression to zfsha_marten;
grant usage on sequence zfsha.mt_events_sequence to zfsha_marten;
grant execute on function zfsha.current_incarnation(),
    zfsha.quick_append(varchar, varchar, varchar, uuid[], varchar[], varchar[], jsonb[], bytea[], varchar[], varchar[], jsonb[], varchar[], timestamptz[], bigint),
    zfsha.mt_quick_append_events(varchar, varchar, varchar, uuid[], varchar[], varchar[], jsonb[], bytea[], varchar[], varchar[], jsonb[], varchar[], timestamptz[], bigint),
    zfsha.mt_quick_append_events(varchar, varchar, varchar, uuid[], varchar[], varchar[], jsonb[], varchar[], varchar[], jsonb[], varchar[], timestamptz[]),
    zfsha.mt_mark_event_progression(varchar, bigint), zfsha.mt_mark_progression_with_skip(varchar, bigint, bigint), zfsha.mt_archive_stream(varchar) to zfsha_marten;
