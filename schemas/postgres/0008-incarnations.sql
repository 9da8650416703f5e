-- Where a history was written: a database that finds itself elsewhere was restored, copied or promoted. A lease belongs to one history.

alter table zfsha.incarnations add column if not exists whereabouts text null;
alter table zfsha.leases add column if not exists incarnation integer not null default zfsha.current_incarnation();
