-- What stood in a stream, and when. high_at never falls from version to version, whatever clocks do, so instants are turned into versions:
--   observed at or after an instant:  no version below the first whose high_at reaches it;
--   observed at or before an instant: below the first whose high_at is more than ten minutes past it, but for late ones, which late_events lists.
-- The planner does not know which host or type is rare in which stream. So it is left no choice but to walk an index in its order: neither bitmaps nor
-- sorts where there is one that has the order, and "is true" around what must not choose another.

-- The lowest version whose high_at is not before the instant; one more than the last version when there is none. Versions may be missing.
create or replace function zfsha.first_version(p_stream text, p_at timestamptz) returns bigint language plpgsql stable as
$$
declare
    low   bigint := 1;
    high  bigint;
    first bigint; -- There is, from high on.
    probe record;
begin
    select coalesce(max(e.version), 0) + 1 into first from zfsha.mt_events e where e.stream_id = p_stream;
    high := first;
    while low < high loop
        select e.version, e.high_at into probe from zfsha.mt_events e where e.stream_id = p_stream and e.version >= low + (high - low) / 2 order by e.version limit 1;
        if probe.high_at >= p_at then
            high := low + (high - low) / 2;
            first := probe.version;
        else
            low := probe.version + 1;
        end if;
    end loop;
    return first;
end
$$;

-- From here on what was observed by then is late; every version may be below when the instant is null or infinite.
create or replace function zfsha.late_from(p_stream text, p_at timestamptz) returns bigint language sql stable as
$$
    select case when p_at < 'infinity' then zfsha.first_version(p_stream, p_at + interval '10 minutes 1 microsecond') else 9223372036854775807 end
$$;

-- A page of a history: its versions. Null or empty is no condition.
create or replace function zfsha.history_page(
    p_stream text, p_types text[], p_host text, p_correlation text, p_from timestamptz, p_to timestamptz, p_after bigint, p_limit integer, p_newest boolean)
returns setof bigint language plpgsql stable rows 100
    set enable_sort = off set enable_bitmapscan = off set enable_seqscan = off set jit = off as -- A sort that cannot be avoided seems so dear that it would be compiled.
$$
declare
    low     bigint := greatest(p_after + 1, case when p_from is not null then zfsha.first_version(p_stream, p_from) end);
    high    bigint := zfsha.late_from(p_stream, p_to);
    types   text[] := (select array_agg(distinct t.type) from unnest(p_types) as t (type));
    way     text := case when p_newest then 'desc' else 'asc' end;
    wanted  text := '($4::text is null or e.correlation_id = $4) and ($5::timestamptz is null or e.observed_at >= $5) and ($6::timestamptz is null or e.observed_at <= $6)';
    of_host text := 'from zfsha.mt_events e where e.stream_id = $1 and e.host = $3 and e.version >= $7 and e.version < $8';
    of_type text := 'from zfsha.mt_events e where e.stream_id = $1 and e.type = t.type and e.version >= $7 and e.version < $8';
    by_host boolean := p_host is not null;
    ordered text; -- All that is not late, and the late ones among them.
    late    text; -- The rest.
    taken   integer := 0;
begin
    if p_host is not null and types is not null then -- By what there is less of; where there are thousands of both, a page is soon full.
        execute format(
            'select (select count(*) from (select %s order by e.version limit 3000) h)
                 <= (select count(*) from unnest($2) as t (type) cross join lateral (select %s order by e.version limit 3000) e)', of_host, of_type)
           into by_host using p_stream, types, p_host, p_correlation, p_from, p_to, low, high;
    end if;
    ordered := case
        when by_host then format('select e.version %1$s and ($2::text[] is null or e.type = any ($2)) is true and %2$s order by e.version %3$s limit $9', of_host, wanted, way)
        when types is not null then format(
            'select e.version from unnest($2) as t (type) cross join lateral (
                 select e.version %1$s and ($3::text is null or e.host = $3) is true and %2$s order by e.version %3$s limit $9) e
              order by e.version %3$s limit $9', of_type, wanted, way)
        else format(
            'select e.version from zfsha.mt_events e where e.stream_id = $1 and e.version >= $7 and e.version < $8 and %1$s order by e.version %2$s limit $9', wanted, way) end;
    late := format(
        'select e.version
           from (select l.version from zfsha.late_events l
                  where l.stream_id = $1 and l.observed_at between coalesce($5, ''-infinity'') and $6 and l.version >= greatest($7, $8) offset 0) l
          cross join lateral (select * from zfsha.mt_events e where e.stream_id = $1 and e.version = l.version offset 0) e
          where ($2::text[] is null or e.type = any ($2)) and ($3::text is null or e.host = $3) and %1$s order by e.version %2$s limit $9', wanted, way);

    if not p_newest then
        return query execute ordered using p_stream, types, p_host, p_correlation, p_from, p_to, low, high, p_limit;
        get diagnostics taken = row_count;
    end if;
    if p_to < 'infinity' and taken < p_limit then
        return query execute late using p_stream, types, p_host, p_correlation, p_from, p_to, low, high, p_limit - taken;
        get diagnostics taken = row_count;
    end if;
    if p_newest and taken < p_limit then
        return query execute ordered using p_stream, types, p_host, p_correlation, p_from, p_to, low, high, p_limit - taken;
    end if;
end
$$;

-- From events of a host, newest first: versions among which is the latest by the instant, with all that were observed in the same moment.
-- Going down from the newest, nothing further down was observed later than the high_at there.
create or replace function zfsha.latest_below(p_at timestamptz, p_events refcursor) returns bigint[] language plpgsql stable as
$$
declare
    latest timestamptz := '-infinity';
    among  bigint[] := '{}';
    one    record;
begin
    loop
        fetch p_events into one; -- One by one: most often the second is already too far down.
        exit when not found or one.high_at < latest;
        if one.observed_at <= p_at and one.observed_at >= latest then
            latest := one.observed_at;
            among := among || one.version;
        end if;
    end loop;
    close p_events;
    return among;
end
$$;

-- The versions of what was known of a stream at an instant. See AsOfQuery.
create or replace function zfsha.known_at(p_stream text, p_at timestamptz, p_of_host text[], p_latest text[])
returns setof bigint language plpgsql stable rows 100
    set enable_sort = off set enable_bitmapscan = off set enable_seqscan = off set jit = off as -- A sort that cannot be avoided seems so dear that it would be compiled.
$$
declare
    high    bigint := zfsha.late_from(p_stream, p_at);
    among   bigint[];
    seen    bigint[];
    last    bigint[];
    begun   timestamptz; -- Of the first version and the late ones; another one was observed less than ten minutes before, or not at all.
    soon    bigint;
    name    text;
    one     refcursor;
begin
    with told as materialized (
        select e.version, e.host, e.type, e.observed_at
          from (select l.version from zfsha.late_events l where l.stream_id = p_stream and l.observed_at <= p_at and l.version >= high offset 0) l
         cross join lateral (select * from zfsha.mt_events e where e.stream_id = p_stream and e.version = l.version offset 0) e
    ), ranked as (
        select t.version, rank() over (partition by t.host order by t.observed_at desc) as place from told t where t.type = any (p_of_host) and t.host is not null
        union all
        select t.version, rank() over (partition by t.type order by t.version desc) from told t where t.type = any (p_latest)
    )
    select coalesce(array_agg(distinct r.version), '{}') into among from ranked r where r.place = 1;

    -- Hosts are found by skipping through the index, for there are few of them and many events of each.
    for name in
        with recursive hosts as (
            select min(e.host) as host from zfsha.mt_events e where e.stream_id = p_stream
            union all
            select (select min(e.host) from zfsha.mt_events e where e.stream_id = p_stream and e.host > hosts.host) from hosts where hosts.host is not null
        )
        select hosts.host from hosts where hosts.host is not null
    loop
        open one no scroll for
            select e.version, e.observed_at, e.high_at from zfsha.mt_events e
             where e.stream_id = p_stream and e.host = name and e.version < high and (e.type = any (p_of_host)) is true order by e.version desc;
        among := among || zfsha.latest_below(p_at, one);
    end loop;
    among := among || array(
        select latest.version from unnest(p_latest) as t (type) cross join lateral (
            select e.version from zfsha.mt_events e
             where e.stream_id = p_stream and e.type = t.type and e.version < high and e.observed_at <= p_at order by e.version desc limit 1) latest);

    with candidates as materialized (
        select e.version, e.host, e.type, e.observed_at
          from (select distinct v.version from unnest(among) as v (version)) v
         cross join lateral (select * from zfsha.mt_events e where e.stream_id = p_stream and e.version = v.version offset 0) e
    )
    select (select array_agg(s.version) from (
               select c.version, rank() over (partition by c.host order by c.observed_at desc) as place from candidates c where c.type = any (p_of_host) and c.host is not null) s
             where s.place = 1),
           (select array_agg(l.version) from (
               select c.version, rank() over (partition by c.type order by c.version desc) as place from candidates c where c.type = any (p_latest)) l
             where l.place = 1)
      into seen, last;

    select min(e.observed_at) into begun from (
        (select e.observed_at from zfsha.mt_events e where e.stream_id = p_stream order by e.version limit 1)
        union all
        (select l.observed_at from zfsha.late_events l where l.stream_id = p_stream order by l.observed_at limit 1)) e;
    soon := zfsha.late_from(p_stream, begun);
    return query
        select unnest(seen)
        union
        select unnest(last)
        union
        (select e.version from (
            select e.version, e.observed_at from zfsha.mt_events e where e.stream_id = p_stream and e.version < soon
            union all
            select l.version, l.observed_at from zfsha.late_events l where l.stream_id = p_stream and l.observed_at = begun) e
          where e.observed_at <= p_at order by e.observed_at, e.version limit 1);
end
$$;
