-- compatible_from: 1
-- A session of whatever program that holds a lock and says nothing more is ended by Postgres, not only one of ours: it
-- would hold up the log, hence everybody. (Gristmill's own sessions set the same for themselves.)

do $$
declare role text;
begin
    foreach role in array array['ledger', 'reader', 'gateway'] loop
        execute format('alter role %I set idle_in_transaction_session_timeout = %L', role, '15s');
        execute format('alter role %I set lock_timeout = %L', role, '10s');
        execute format('alter role %I set statement_timeout = %L', role, '60s');
    end loop;
exception when insufficient_privilege then
    raise notice 'the roles are somebody else''s: their timeouts are for him to set';
end $$;
