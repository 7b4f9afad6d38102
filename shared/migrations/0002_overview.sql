-- compatible_from: 1
-- What an operator's overview counts: the gateway may see what is in flight and how far the relay has come.

grant select on ledger.work, ledger.checkpoints to gateway;
