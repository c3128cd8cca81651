DELETE FROM dead_letters WHERE EXISTS (SELECT 1 FROM json_each(?1) WHERE instr(command, value) > 0)
