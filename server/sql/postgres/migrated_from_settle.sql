-- Dead letters and erasures have brought their ids with them.
SELECT setval(pg_get_serial_sequence('dead_letters', 'id'), MAX(id)) FROM dead_letters HAVING MAX(id) IS NOT NULL;
SELECT setval(pg_get_serial_sequence('erasures', 'id'), MAX(id)) FROM erasures HAVING MAX(id) IS NOT NULL
