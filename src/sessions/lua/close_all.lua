-- Removes the sessions of a user: all, or all but one.
--
-- KEYS[1]  the user's hash; open.lua documents its fields
-- ARGV[1]  id of the session that stays, 16 bytes, or ''
--
-- reply    the number of sessions that were removed
local key, kept = KEYS[1], ARGV[1]
local removed, has_kept = 0, false
for _, field in ipairs(redis.call('HKEYS', key)) do
  if field == kept then
    has_kept = true
  elseif field ~= 'u' then
    removed = removed + redis.call('HDEL', key, field)
  end
end
if not has_kept then redis.call('DEL', key) end
return removed
