#!lua flags=allow-oom
-- Takes a file from its tenant: nobody sees it any more, and its bytes are due for removal. ARGV: id, tenant.
-- Returns its name in the storage; false where the tenant sees no such file.
local id, tenant = unpack(ARGV)
local file = visible(id, tenant)
if not file then return false end
hide_file(id, tenant, now)
return file[2]
