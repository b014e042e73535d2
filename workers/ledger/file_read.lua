#!lua flags=no-writes
-- A file as its tenant sees it. ARGV: id, tenant. Returns false where there is none.
return visible(ARGV[1], ARGV[2]) or false
