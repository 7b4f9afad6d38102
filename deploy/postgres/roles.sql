-- The three roles of the services, with their passwords from the environment. Run by the Postgres image when it makes
-- its cluster; running it again sets the passwords anew. Their rights are granted by `gristmill migrate`.
\set ON_ERROR_STOP on
\getenv ledger POSTGRES_PASSWORD_LEDGER
\getenv reader POSTGRES_PASSWORD_READER
\getenv gateway POSTGRES_PASSWORD_GATEWAY
select format('create role %I', role) from unnest(array['ledger', 'reader', 'gateway']) as role
where not exists (select from pg_roles where rolname = role) \gexec
alter role ledger login password :'ledger';
alter role reader login password :'reader';
alter role gateway login password :'gateway';
revoke all on database :"DBNAME" from public;
