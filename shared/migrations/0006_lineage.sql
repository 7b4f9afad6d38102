-- compatible_from: 1
-- A stream that goes on from another one: up to `base_version` it is the base's, and its own events follow with the
-- versions after it. So a fork holds what its parent had by reference, and whoever reads a stream need not know of it.

create table ledger.lineage (
    stream_id    uuid primary key,
    base_id      uuid not null,
    base_version int not null
);
grant select, insert on ledger.lineage to ledger;
grant select on ledger.lineage to reader, gateway;
