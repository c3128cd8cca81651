-- Entry and referrer stay as they are unless the batch sets them.
INSERT INTO sessions (id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events,
    entry_url, referrer, referrer_host, utm_source, utm_medium, utm_campaign, utm_term, utm_content, click_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
ON CONFLICT (id) DO UPDATE SET
    site = excluded.site, visitor_id = excluded.visitor_id, user_id = excluded.user_id,
    last_activity = excluded.last_activity, ended_at = excluded.ended_at,
    page_views = excluded.page_views, events = excluded.events,
    entry_url = COALESCE(excluded.entry_url, sessions.entry_url),
    referrer = COALESCE(excluded.referrer, sessions.referrer),
    referrer_host = CASE WHEN excluded.referrer IS NULL THEN sessions.referrer_host ELSE excluded.referrer_host END,
    -- A campaign is kept until an address has another one, which replaces all of it.
    utm_source = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.utm_source ELSE excluded.utm_source END,
    utm_medium = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.utm_medium ELSE excluded.utm_medium END,
    utm_campaign = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.utm_campaign ELSE excluded.utm_campaign END,
    utm_term = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.utm_term ELSE excluded.utm_term END,
    utm_content = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.utm_content ELSE excluded.utm_content END,
    click_id = CASE WHEN COALESCE(excluded.utm_source, excluded.utm_medium, excluded.utm_campaign, excluded.utm_term, excluded.utm_content, excluded.click_id) IS NULL THEN sessions.click_id ELSE excluded.click_id END
