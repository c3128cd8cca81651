-- Takes the locks in the order in which readers take them. The writer waits at lock.sql, before it takes its own.
LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE;
LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE;
CREATE TABLE {partition} (LIKE {table} INCLUDING ALL);
WITH moved AS (DELETE FROM {table}_default WHERE id_time >= {from} AND id_time < {to} RETURNING *)
INSERT INTO {partition} SELECT * FROM moved;
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({from}) TO ({to})
