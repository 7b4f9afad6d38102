-- compatible_from: 1
-- How often a unit met what nobody foresaw: what it waited for meanwhile is counted apart, in `deferred`.

alter table ledger.work add column crashes int not null default 0;
create index work_suspects on ledger.work (service) where lost >= 2 and outcome is null;
