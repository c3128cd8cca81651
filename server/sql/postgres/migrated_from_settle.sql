-- Dead letters and erasures were copied with their ids, so the sequences continue after these.
SELECT setval(pg_get_serial_sequence('dead_letters', 'id'), MAX(id)) FROM dead_letters HAVING MAX(id) IS NOT NULL;
SELECT setval(pg_get_serial_sequence('erasures', 'id'), MAX(id)) FROM erasures HAVING MAX(id) IS NOT NULL
