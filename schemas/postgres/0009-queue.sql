-- A message that failed and waits for its next attempt, as opposed to one that is being handled.
alter table zfsha.messages add column if not exists retrying boolean not null default false;

-- How often a fault of whoever handled it failed it. How often it was taken also counts outages and conflicts.
alter table zfsha.messages add column if not exists failures integer not null default 0;

-- By what the ids that are no longer needed are found.
create index if not exists ix_handled_messages_at on zfsha.handled_messages (handled_at);

-- Which login is the agent of which host.
create table if not exists zfsha.agent_logins (
    login name not null primary key,
    host  text not null
);
