-- compatible_from: 1
-- A restored database goes on in a new era: where each one began tells which positions of the ones before still hold.
-- What the ledger has against going on at all is written where the gateway can read it.

create table ledger.eras (
    era      int primary key,
    after    bigint not null, -- the newest position that it took over
    began_at timestamptz not null default clock_timestamp()
);
insert into ledger.eras (era, after) select era, 0 from ledger.logs;
alter table ledger.leader add column alarm text;
grant select on ledger.eras to ledger, reader, gateway;
grant select on ledger.leader to gateway;
