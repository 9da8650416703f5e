namespace ZfsHaEvents.Store;

/// <summary>What there is in our schema, as lines of text that two databases with the same schema agree on, whichever PostgreSQL they run on.</summary>
static class CatalogQuery
{
    public const string Text = """
        with ours as (
            select c.oid, c.relname, c.relkind from pg_class c where c.relnamespace = 'zfsha'::regnamespace and c.relkind in ('r', 'v', 'S')
        ), roles as (
            select oid, rolname from pg_roles where rolname in ('zfsha_server', 'zfsha_agent', 'zfsha_reader', 'zfsha_marten')
            union all select 0, 'public'
        )
        select format('table %s column %s: %s', c.relname, a.attname,
                      concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                                case a.attidentity when 'a' then 'identity' end, case a.attgenerated when 's' then 'generated' when '' then 'default' end || ' ' || pg_get_expr(d.adbin, d.adrelid)))
          from ours c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where c.relkind = 'r'
        union all
        select format('view %s column %s: %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
          from ours c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relkind = 'v'
        union all
        select format('view %s options: %s', c.relname, array_to_string(k.reloptions, ', ')) from ours c join pg_class k on k.oid = c.oid where c.relkind = 'v' and k.reloptions is not null
        union all
        select format('table %s constraint %s: %s', c.relname, k.conname, pg_get_constraintdef(k.oid)) from ours c join pg_constraint k on k.conrelid = c.oid and k.contype <> 'n'
        union all
        select format('index %s: %s', i.indexname, i.indexdef) from pg_indexes i where i.schemaname = 'zfsha'
        union all
        select format('trigger %s of %s: %s', t.tgname, c.relname, pg_get_triggerdef(t.oid)) from ours c join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
        union all
        select format('trigger %s of %s, enabled: %s', t.tgname, c.relname, t.tgenabled) from ours c join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
        union all
        select format('sequence %s: %s increment %s cache %s owned by %s', s.sequencename, s.data_type, s.increment_by, s.cache_size,
                      (select format('%s.%s', d.refobjid::regclass, a.attname) from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                        where d.objid = format('zfsha.%I', s.sequencename)::regclass and d.deptype in ('a', 'i')))
          from pg_sequences s where s.schemaname = 'zfsha'
        union all
        select format('function %s(%s): returns %s', p.proname, pg_get_function_identity_arguments(p.oid), concat_ws(' ', pg_get_function_result(p.oid), l.lanname,
                      case p.provolatile when 'i' then 'immutable' when 's' then 'stable' end, case when p.prosecdef then 'security definer' end, 'set ' || array_to_string(p.proconfig, ' '), 'body ' || md5(p.prosrc)))
          from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = 'zfsha'::regnamespace
        union all
        select format('grant on %s to %s: %s', c.relname, r.rolname, string_agg(x.privilege_type, ', ' order by x.privilege_type))
          from ours c join pg_class k on k.oid = c.oid cross join lateral aclexplode(k.relacl) x join roles r on r.oid = x.grantee group by c.relname, r.rolname
        union all
        select format('grant on columns of %s to %s: %s (%s)', c.relname, r.rolname, x.privilege_type, string_agg(a.attname, ', ' order by a.attname))
          from ours c join pg_attribute a on a.attrelid = c.oid cross join lateral aclexplode(a.attacl) x join roles r on r.oid = x.grantee group by c.relname, r.rolname, x.privilege_type
        union all
        select format('grant on %s(%s) to: %s', p.proname, pg_get_function_identity_arguments(p.oid), string_agg(r.rolname, ', ' order by r.rolname))
          from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x join roles r on r.oid = x.grantee
         where p.pronamespace = 'zfsha'::regnamespace group by p.oid
        """;
}
