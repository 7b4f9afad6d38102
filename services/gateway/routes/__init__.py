"""What the gateway answers, one file per resource. Says requests to the ledger and reads views; decides nothing."""
