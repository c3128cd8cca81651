-- The number of the view within its visit, as the browser counted.
ALTER TABLE page_views ADD COLUMN sequence INTEGER;

-- What the entry address said of the campaign; of a click id only the parameter's name.
ALTER TABLE sessions ADD COLUMN utm_source TEXT;
ALTER TABLE sessions ADD COLUMN utm_medium TEXT;
ALTER TABLE sessions ADD COLUMN utm_campaign TEXT;
ALTER TABLE sessions ADD COLUMN utm_term TEXT;
ALTER TABLE sessions ADD COLUMN utm_content TEXT;
ALTER TABLE sessions ADD COLUMN click_id TEXT;
