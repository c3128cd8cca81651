-- Dead letters have brought their ids with them.
SELECT setval(pg_get_serial_sequence('dead_letters', 'id'), MAX(id)) FROM dead_letters HAVING MAX(id) IS NOT NULL
