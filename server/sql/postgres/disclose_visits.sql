-- The visits of a visitor behind a place, or from it on, in the order of the index.
SELECT site, started_at, id, GREATEST(last_activity, ended_at), json_build_object('id', id, 'site', site, 'user_id', user_id, 'started_at', started_at, 'last_activity', last_activity, 'ended_at', ended_at, 'entry_url', entry_url, 'referrer', referrer, 'referrer_host', referrer_host, 'utm_source', utm_source, 'utm_medium', utm_medium, 'utm_campaign', utm_campaign, 'utm_term', utm_term, 'utm_content', utm_content, 'click_id', click_id)::text
FROM sessions WHERE visitor_id = $1::text AND (site, started_at, id) >= ($2::text COLLATE "C", $3, $4) AND ($5 OR id <> $4)
ORDER BY site, started_at, id LIMIT $6
