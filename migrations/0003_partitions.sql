-- The audit trail by months, so that old ones can be dropped whole.

-- Makes the partitions of the month of `moment` and of the three after it; those that exist stay as they are. A month
-- (UTC) of which rows lie in the DEFAULT partition stays there: to move them would keep the trail locked meanwhile, and
-- nothing depends on where they lie.
--
-- It runs with its owner's rights, because the services' role may add rows to the trail and nothing else.
create function make_audit_partitions(moment timestamptz) returns void
language plpgsql security definer
set search_path = public, pg_temp
-- Making a partition keeps the trail locked for milliseconds, once it has the lock. Waiting for the lock already holds
-- up every audit line behind it, and those wait 1.5 s at most.
set lock_timeout = '1s'
as $$
declare
    this_month timestamp := date_trunc('month', moment at time zone 'UTC');
    month      timestamp;
    partition  text;
    first      timestamptz;
    after      timestamptz;
begin
    -- Of two at once the second finds what the first has made.
    perform pg_advisory_xact_lock(x'6c61706172744f'::bigint);
    for ahead in 0..3 loop
        month := this_month + make_interval(months => ahead);
        partition := to_char(month, '"audit_events_"YYYY_MM');
        first := month at time zone 'UTC';
        after := (month + interval '1 month') at time zone 'UTC';
        continue when to_regclass(partition) is not null;
        continue when exists (select from audit_events_default where at >= first and at < after);
        execute format('create table %I partition of audit_events for values from (%L) to (%L)',
                       partition, first, after);
    end loop;
end
$$;

revoke execute on function make_audit_partitions from public;
