-- The number of the view within its visit, as the browser counted.
ALTER TABLE page_views ADD COLUMN sequence integer;

-- What the entry address said of the campaign; of a click id only the parameter's name.
ALTER TABLE sessions
    ADD COLUMN utm_source text,
    ADD COLUMN utm_medium text,
    ADD COLUMN utm_campaign text,
    ADD COLUMN utm_term text,
    ADD COLUMN utm_content text,
    ADD COLUMN click_id text;
